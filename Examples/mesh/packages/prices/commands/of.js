import { sidecar } from '@akala/pm';
import { think } from './think.js';

const services = sidecar();

/** What an item costs: the less there is of it, the more. Coffee is a difficult question. */
export default async function of(item, signal, state) {
  const stock = await services.stock;
  const count = await stock.with({ signal }).dispatch('count', item);
  if (item === 'coffee') await think(60_000, signal, state);
  return count === 0 ? null : 3 + 4.5 / count;
}
