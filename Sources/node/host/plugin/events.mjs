/** Events on their way to a plugin's functions: one after the other, in the order in which they happened. */

/** Events that wait at most; of more the oldest are dropped. */
const MOST = 1000;

export class EventQueue {
  #handlers = new Map();
  #waiting = [];
  #dropped = 0;
  #isBusy = false;

  /**
   * @param {string} kind
   * @param {(event: object) => unknown} handle
   */
  on(kind, handle) {
    if (!this.#handlers.has(kind)) this.#handlers.set(kind, []);
    this.#handlers.get(kind).push(handle);
  }

  /** @param {{kind: string}} event */
  add(event) {
    if (!this.#handlers.has(event?.kind)) return;
    if (this.#waiting.length >= MOST) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#waiting.push(event);
    if (!this.#isBusy) this.#run();
  }

  async #run() {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const event = this.#waiting.shift();
      for (const handle of this.#handlers.get(event.kind)) await this.#pass(handle, event);
    }
    this.#isBusy = false;
    if (this.#dropped > 0) process.stderr.write(`pm: ${this.#dropped} events were dropped: more than ${MOST} were waiting\n`);
    this.#dropped = 0;
  }

  async #pass(handle, event) {
    try {
      await handle(event);
    } catch (error) {
      process.stderr.write(`pm: the plugin failed to handle the event ${event.kind} of ${event.service ?? 'pm'}: ${error?.stack ?? error}\n`);
    }
  }
}
