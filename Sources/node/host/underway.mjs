/** Calls of the other side that are not answered yet: they can be cancelled, and their streams slowed down. */
import { errorWithStatus } from './errors.mjs';

/** What is announced to the daemon: the signals that are understood. */
export const SIGNALS = ['$/cancel', '$/pause', '$/resume'];

/** One call under way. */
export class Call {
  #controller;
  #paused = false;
  #wake = [];
  /** The stream that the caller sends as a parameter, if it does: takes its frames. */
  take;

  /** Aborted when nobody wants the answer any more. */
  get signal() {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Whether nobody wants the answer any more. */
  cancelled = false;

  cancel() {
    if (this.cancelled) return;
    this.cancelled = true;
    this.#controller?.abort(cancelledError());
    this.take?.({ error: cancelledError() });
    this.resume();
  }

  /** The caller does not read its stream for now. */
  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
    for (const resolve of this.#wake.splice(0)) resolve();
  }

  /** Whether a stream is to wait. */
  get isPaused() {
    return this.#paused;
  }

  /** Resolves when the stream may go on. */
  resumed() {
    return this.#paused ? new Promise((resolve) => this.#wake.push(resolve)) : Promise.resolve();
  }
}

function cancelledError() {
  return Object.assign(errorWithStatus(499, 'the caller cancelled the call'), { code: 'CANCELLED' });
}

/** The calls under way on one connection, by their ids. */
export class Underway {
  #calls = new Map();

  /** @param {string | number} id */
  begin(id) {
    const call = new Call();
    this.#calls.set(id, call);
    return call;
  }

  end(id) {
    this.#calls.delete(id);
  }

  /**
   * Takes a notification about a call.
   * @param {string} method one of SIGNALS
   * @param {unknown} params
   */
  signal(method, params) {
    const call = this.#calls.get(Array.isArray(params) ? params[0] : undefined);
    if (method === '$/cancel') call?.cancel();
    else if (method === '$/pause') call?.pause();
    else call?.resume();
  }

  /**
   * Gives a frame to the call whose parameter it belongs to.
   * @param {object} frame
   * @param {number} size of its line, in bytes
   * @returns {boolean} false when there is none
   */
  take({ id, result, error }, size) {
    const call = this.#calls.get(id);
    if (call?.take === undefined) return false;
    call.take(error ? { error } : { result }, size);
    if (error || result?.event === 'end') call.take = () => {};
    return true;
  }

  /** The other side is gone: nobody wants any of the answers. */
  cancelAll() {
    for (const call of [...this.#calls.values()]) call.cancel();
  }
}
