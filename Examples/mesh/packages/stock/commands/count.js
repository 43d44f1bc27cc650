const STOCK = { tea: 3, coffee: 7, milk: 0 };

/** How many of an item there are. */
export default function count(item) {
  if (!Object.hasOwn(STOCK, item)) throw Object.assign(new Error(`there is no ${item}`), { statusCode: 404 });
  return STOCK[item];
}
