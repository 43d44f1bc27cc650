'use strict';

/**
 * What triggers and middlewares of the reference use of a container. Their `handle` returns a promise that rejects with the result, and
 * resolves with the error.
 */

/**
 * @param {() => unknown} run
 * @returns {Promise<unknown>}
 */
async function inverted(run) {
  let result;
  try {
    result = await run();
  } catch (error) {
    return error ?? new Error('the command failed');
  }
  // No error: this is how a result is handed on.
  throw result;
}

/**
 * The positional parameters of a call that came through a trigger: entry i of the trigger's inject list is sent where entry i of
 * `jsonrpc.inject`, else of the general list, says.
 * @param {object} config of the command
 * @param {{params: unknown[], _trigger?: string}} param structured parameters, whose members may be promises
 * @returns {Promise<unknown[]> | undefined} undefined when the trigger has no list: then the parameters are what they are
 */
function positional(config, param) {
  const sources = config?.[param._trigger]?.inject;
  if (!Array.isArray(sources)) return undefined;
  const places = [config.jsonrpc?.inject, config['']?.inject].find(Array.isArray);
  const values = Promise.all(sources.map((source) => resolved(source, param)));
  return values.then((all) => {
    const params = [];
    for (const [index, value] of all.entries()) {
      const place = /^params\.(\d{1,3})$/.exec(places?.[index] ?? (places === undefined ? `params.${index}` : ''));
      if (place !== null) params[Number(place[1])] = value;
    }
    return Array.from(params, (value) => value ?? null);
  });
}

/** A path, a list of keys, or an object of them. */
async function resolved(source, param) {
  if (typeof source === 'string' || Array.isArray(source)) {
    let value = param;
    for (const key of typeof source === 'string' ? source.split('.') : source) value = (await value)?.[key];
    return value;
  }
  const entries = Object.entries(source ?? {}).map(async ([key, inner]) => [key, await resolved(inner, param)]);
  return Object.fromEntries(await Promise.all(entries));
}

module.exports = { inverted, positional };
