'use strict';

/**
 * The customer of a name; a new one is given the next number.
 * @param {string} name
 * @param {{dispatch: Function}} pm
 * @returns {Promise<{number: number, name: string}>}
 */
module.exports = async function get(name, pm) {
  if (!/^\p{Letter}/u.test(name ?? '')) {
    throw Object.assign(new Error(`${JSON.stringify(name)} is no name`), { statusCode: 400, code: 'NO_NAME' });
  }
  const key = `user:${name.toLowerCase()}`;
  const known = await pm.dispatch('cache.get', key);
  if (known) return known;
  const user = { number: await pm.dispatch('cache.increment', 'users'), name };
  await pm.dispatch('cache.set', key, user);
  return user;
};
