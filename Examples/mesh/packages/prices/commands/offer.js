import { think } from './think.js';

const SUPPLIERS = { near: { after: 10, price: 4 }, far: { after: 60_000, price: 2 } };

/** What a supplier wants for an item, when it has found out. */
export default async function offer(item, supplier, signal, state) {
  const { after, price } = SUPPLIERS[supplier];
  await think(after, signal, state);
  return { item, supplier, price };
}
