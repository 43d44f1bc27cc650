import { sidecar } from '@akala/pm';

const services = sidecar();

/** What is there of an item, and what it costs if that is found out in time. */
export default async function quote(item) {
  const [stock, prices] = await Promise.all([services.stock, services.prices]);
  const [count, price] = await Promise.all([
    stock.dispatch('count', item),
    prices.with({ timeout: 200 }).dispatch('of', item).catch(onRequest),
  ]);
  return `${item}: ${count} in stock, ${price === undefined ? 'price on request' : `${price} each`}`;
}

/** Only a late answer is something to live with. */
function onRequest(error) {
  if (error.code !== 'PM_DEADLINE') throw error;
  return undefined;
}
