/** Calls of the other side that are not answered yet: they can be cancelled, and their streams slowed down. */
import { cancelled, Flow } from './wire.mjs';

/** One call under way. */
export class Call extends Flow {
  /** The stream that the caller sends as a parameter, if it does. */
  stream;
  /** Whether its answer is a stream that has begun. */
  isStreaming = false;
  /** Whether the caller, who has cancelled, has its answer already. */
  isAnswered = false;

  cancel() {
    if (this.isCancelled) return;
    super.cancel();
    this.stream?.receive({ error: cancelled() });
  }
}

/** The calls under way on one connection, by their ids. */
export class Underway {
  #calls = new Map();

  /** @param {string | number} id */
  add(id) {
    const call = new Call();
    this.#calls.set(id, call);
    return call;
  }

  end(id) {
    this.#calls.delete(id);
  }

  /** Whether a call is unanswered. */
  has(id, call) {
    return this.#calls.get(id) === call;
  }

  /**
   * Takes a notification about a call.
   * @param {'$/cancel' | '$/pause' | '$/resume'} method
   * @param {unknown} params
   * @returns {Call | undefined} the call that it is about
   */
  signal(method, params) {
    const call = this.#calls.get(Array.isArray(params) ? params[0] : undefined);
    call?.receiveSignal(method);
    return call;
  }

  /**
   * Gives a frame to the call whose parameter it belongs to.
   * @param {object} frame
   * @param {number} size of its line, in bytes
   * @returns {boolean} false when there is none
   */
  receiveFrame({ id, result, error }, size) {
    const call = this.#calls.get(id);
    if (call?.stream === undefined) return false;
    call.stream.receive(error ? { error } : { result }, size);
    return true;
  }

  /** The other side is gone: nobody wants any of the answers. */
  cancelAll() {
    for (const call of [...this.#calls.values()]) call.cancel();
  }
}
