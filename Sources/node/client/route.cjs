'use strict';

/**
 * The way to a service through the daemon. It is a connection to the daemon on which each call is made as `NAME.COMMAND`, so
 * that the daemon picks an instance for each; a proxy would lead all of them to one.
 */
class ServiceRoute {
  #rpc;
  #name;
  #known;

  /**
   * @param {import('./rpc.cjs').Rpc} rpc a connection to the daemon
   * @param {string} name of the service
   * @param {object} known its metadata
   */
  constructor(rpc, name, known) {
    this.#rpc = rpc;
    this.#name = name;
    this.#known = known;
  }

  get isClosed() {
    return this.#rpc.isClosed;
  }

  /** As `Rpc.call`; the first question for the metadata is answered already. */
  call(method, params, options) {
    if (method !== '$metadata') return this.#rpc.call(`${this.#name}.${method}`, params, options);
    const known = this.#known;
    this.#known = undefined;
    return known === undefined ? this.#rpc.call('$metadata', [true, this.#name], options) : Promise.resolve(known);
  }

  onClose(listener) {
    this.#rpc.onClose(listener);
  }

  /** Ends when what is under way is answered. */
  retire() {
    this.#rpc.closeWhenIdle();
  }

  close() {
    this.#rpc.close();
  }
}

/**
 * Leads a connection to the daemon on to a service.
 * @param {import('./rpc.cjs').Rpc} rpc
 * @param {string} name of the service
 * @param {AbortSignal} [signal]
 * @returns {Promise<ServiceRoute | import('./rpc.cjs').Rpc>} a daemon that does not describe one service (the reference's) makes it a proxy
 * @throws what the daemon answers when there is no such service, or it does not run
 */
async function leadOn(rpc, name, signal) {
  const known = await metadataOf(rpc, name, signal);
  if (known !== undefined) return new ServiceRoute(rpc, name, known);
  await rpc.call('proxy', [name], { signal });
  return rpc;
}

/** What the daemon says of one service; undefined when it does not, or describes itself, as the reference's daemon does. */
async function metadataOf(rpc, name, signal) {
  try {
    const known = await rpc.call('$metadata', [true, name], { signal });
    return known?.name === 'pm' ? undefined : known;
  } catch (error) {
    // `proxy` is answered with the reason, and the next step.
    if (error.statusCode === 404 || error.statusCode === 403) return undefined;
    throw error;
  }
}

module.exports = { leadOn };
