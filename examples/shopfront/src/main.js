import { render } from "preact";

import { html, Shop } from "./shop.js";
import "./style.css";

render(html`<${Shop} />`, document.getElementById("shop"));
