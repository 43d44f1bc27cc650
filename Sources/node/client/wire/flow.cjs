'use strict';

/** A call that the other side can cancel, and whose stream it can slow down: `$/cancel`, `$/pause`, `$/resume`. */
const { cancelled } = require('./errors.cjs');

/** The notifications about a call. */
const SIGNALS = ['$/cancel', '$/pause', '$/resume'];

class Flow {
  #controller;
  #isPaused = false;
  #wake = [];
  /** Whether nobody wants the answer, or the rest of the stream, any more. */
  isCancelled = false;

  /** Aborted when nobody wants the answer any more; made when it is asked for, because most commands never look at it. */
  get signal() {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.isCancelled) this.#controller.abort(cancelled());
    }
    return this.#controller.signal;
  }

  /** @param {'$/cancel' | '$/pause' | '$/resume'} method */
  receiveSignal(method) {
    if (method === '$/cancel') this.cancel();
    else if (method === '$/pause') this.#isPaused = true;
    else this.#resume();
  }

  cancel() {
    if (this.isCancelled) return;
    this.isCancelled = true;
    this.#controller?.abort(cancelled());
    this.#resume();
  }

  /** Whether the stream is to wait. */
  get isPaused() {
    return this.#isPaused;
  }

  /** Resolves when the stream may go on. */
  resumed() {
    return this.#isPaused ? new Promise((resolve) => this.#wake.push(resolve)) : Promise.resolve();
  }

  #resume() {
    this.#isPaused = false;
    for (const resolve of this.#wake.splice(0)) resolve();
  }
}

module.exports = { Flow, SIGNALS };
