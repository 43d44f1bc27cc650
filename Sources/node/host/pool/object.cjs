'use strict';
/** What a worker sees of its pool. */
const { EventEmitter } = require('events');
const { MessageChannel } = require('worker_threads');

/** `connection` is emitted with a MessagePort and the name of the worker at its other end. */
class Pool extends EventEmitter {
  #port;
  #waiting = new Map();
  #lastId = 0;

  /**
   * @param {string} pool
   * @param {string} name
   * @param {import('worker_threads').MessagePort} port to the host of the pool
   */
  constructor(pool, name, port) {
    super();
    /** The name of the pool. */
    this.name = pool;
    /** The name of this worker. */
    this.worker = name;
    this.#port = port;
    // Who waits for an answer or for connections is not done.
    for (const event of ['newListener', 'removeListener']) this.on(event, () => process.nextTick(() => this.#hold()));
  }

  /**
   * Memory that all workers of the pool share, by its name: the first one who asks makes it, and it stays as long as the pool.
   * @param {string} name
   * @param {number} size in bytes; rejects when it is there with another size
   * @returns {Promise<SharedArrayBuffer>}
   */
  shared(name, size) {
    return this.#ask({ kind: 'shared', name: String(name), size: Number(size) });
  }

  /**
   * A port to another worker, which gets the other end as an event `connection`. What is posted on it may be transferred.
   * @param {string} worker
   * @returns {Promise<MessagePort>} rejects when no such worker runs in the pool
   */
  async connect(worker) {
    const { port1, port2 } = new MessageChannel();
    try {
      await this.#ask({ kind: 'connect', worker: String(worker), port: port2 }, [port2]);
    } catch (error) {
      port1.close();
      throw error;
    }
    return port1;
  }

  /** @returns {Promise<string[]>} the names of the workers that run in the pool, sorted */
  workers() {
    return this.#ask({ kind: 'workers' });
  }

  /** A message of the host. */
  receive({ kind, id, value, error, port, from }) {
    if (kind === 'connection') {
      if (!this.emit('connection', port, from)) port.close();
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#hold();
    if (error !== undefined) waiting?.reject(new Error(error));
    else waiting?.resolve(value);
  }

  #ask(message, transfer = []) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#hold();
      this.#port.postMessage({ ...message, id }, transfer);
    });
  }

  #hold() {
    if (this.#waiting.size > 0 || this.listenerCount('connection') > 0) this.#port.ref();
    else this.#port.unref();
  }
}

module.exports = { Pool };
