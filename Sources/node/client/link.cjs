'use strict';

/** A connection that is opened when it is needed, and opened again when it has ended. */

class Link {
  #open;
  #rpc;
  #opening;
  #onLost;

  /**
   * @param {(options: {signal?: AbortSignal}) => Promise<import('./rpc.cjs').Rpc>} open
   * @param {import('./rpc.cjs').Rpc} [rpc] one that is open already
   */
  constructor(open, rpc) {
    this.#open = open;
    if (rpc !== undefined) this.#use(rpc);
  }

  /** @param {() => void} listener called when an open connection has ended */
  onLost(listener) {
    this.#onLost = listener;
  }

  /** The open connection. Those who ask while it is being opened share it; a failure is nobody's after them. */
  async get({ signal } = {}) {
    if (this.#rpc !== undefined && !this.#rpc.isClosed) return this.#rpc;
    this.#opening ??= this.#open({}).then((rpc) => this.#use(rpc)).finally(() => (this.#opening = undefined));
    return signal === undefined ? this.#opening : abortable(this.#opening, signal);
  }

  /** Lets the next call open another connection, where there may be a better way by now; what is under way goes on. */
  renew() {
    if (this.#rpc?.retire === undefined) return;
    this.#rpc.retire();
    this.#rpc = undefined;
  }

  close() {
    this.#rpc?.close();
  }

  #use(rpc) {
    this.#rpc = rpc;
    rpc.onClose(() => this.#onLost?.());
    return rpc;
  }
}

function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    return undefined;
  });
}

module.exports = { Link };
