/** What the shop sells; prices in cents, since sums of floats are off by one sooner or later. */
export const ARTICLES = [
  { id: "tea", name: "Green tea, 100 g", cents: 690 },
  { id: "pot", name: "Tea pot, 1.2 l", cents: 3450 },
  { id: "cup", name: "Cup without a handle", cents: 880 },
  { id: "tin", name: "Tin with a lid", cents: 1290 },
];

/** `basket` (a count by article) with `change` more of one article; counts end at zero. */
export function changed(basket, id, change) {
  const count = Math.max(0, (basket[id] ?? 0) + change);
  const { [id]: _, ...others } = basket;
  return count === 0 ? others : { ...others, [id]: count };
}

/** The sum of `basket` in cents. */
export function total(basket) {
  return ARTICLES.reduce((sum, article) => sum + article.cents * (basket[article.id] ?? 0), 0);
}

/** `cents` as people read it. */
export function euros(cents) {
  return new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(cents / 100);
}
