import { sidecar } from '@akala/pm';

const services = sidecar();

/** The first of two offers; who has not answered by then need not any more. */
export default async function cheapest(item) {
  const prices = await services.prices;
  const enough = new AbortController();
  const ask = (supplier) => prices.with({ signal: enough.signal }).dispatch('offer', item, supplier);
  try {
    const { supplier, price } = await Promise.any([ask('near'), ask('far')]);
    return `${item}: ${price} from ${supplier}`;
  } finally {
    enough.abort(new Error('another supplier was quicker'));
  }
}
