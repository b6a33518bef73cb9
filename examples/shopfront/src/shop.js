import htm from "htm";
import { h } from "preact";
import { useState } from "preact/hooks";

import { ARTICLES, changed, euros, total } from "./basket.js";

export const html = htm.bind(h);

function Line({ article, count, onChange }) {
  return html`<li>
    <span class="name">${article.name}</span>
    <span class="price">${euros(article.cents)}</span>
    <button onClick=${() => onChange(-1)} disabled=${count === 0} aria-label="One ${article.name} less">−</button>
    <output>${count}</output>
    <button onClick=${() => onChange(1)} aria-label="One ${article.name} more">+</button>
  </li>`;
}

export function Shop() {
  const [basket, setBasket] = useState({});
  return html`<h1>Shopfront</h1>
    <ul>
      ${ARTICLES.map(
        (article) =>
          html`<${Line}
            key=${article.id}
            article=${article}
            count=${basket[article.id] ?? 0}
            onChange=${(change) => setBasket((before) => changed(before, article.id, change))}
          />`,
      )}
    </ul>
    <p class="total">Together <strong>${euros(total(basket))}</strong></p>`;
}
