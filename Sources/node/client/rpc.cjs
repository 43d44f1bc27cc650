'use strict';

/** The calling side of JSON-RPC 2.0 over a connection of any transport. */
const { beginningOf, failureText, messageText } = require('./wire/envelope.cjs');
const { disconnected, errorWithStatus, late, methodNotFound, revive } = require('./wire/errors.cjs');
const { Flow, SIGNALS } = require('./wire/flow.cjs');
const { MAX_LINE } = require('./wire/limits.cjs');
const { isStream, ReceivedStream, sendStream } = require('./wire/streams.cjs');

/**
 * @typedef {{send: (text: string) => void, close: () => void, room: () => Promise<void> | undefined, setBusy: (busy: boolean) => void,
 *   call?: (message: object, signal?: AbortSignal) => AsyncIterable<object>}} Transport carries messages as text;
 *   `room` is a promise when it cannot take more before that resolves, `setBusy` says whether it is to keep the process alive
 * @typedef {{signal?: AbortSignal, timeout?: number}} CallOptions `timeout` in milliseconds
 */

class Rpc {
  #transport;
  #waiting = new Map();
  #uploads = new Map();
  #nextId = 1;
  #onClose = [];
  #cause;
  #isRetired = false;
  /** Told of notifications: `(method, params)`. */
  onNotice;
  /** Whether nothing can be called any more. */
  isClosed = false;

  /** @param {Transport} transport */
  attach(transport) {
    this.#transport = transport;
    this.#keepAlive();
    return this;
  }

  /**
   * Calls a method.
   * @param {string} method
   * @param {unknown[] | object} params a list, in which one may be a stream; or an object, sent as it is
   * @param {CallOptions} [options]
   * @returns {Promise<unknown>} the result, an async iterable when it is a stream
   */
  call(method, params = [], { signal, timeout } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.isClosed) return Promise.reject(disconnected(method, this.#cause));
    // A string, so that it is no id of the other side: frames of a stream look like answers.
    const id = `c${this.#nextId++}`;
    return new Promise((resolve, reject) => {
      const call = { id, method, resolve, reject, stream: undefined, timer: undefined, stop: undefined };
      this.#waiting.set(id, call);
      this.#limit(call, signal, timeout);
      this.#keepAlive();
      try {
        this.#sendCall(id, method, params);
      } catch (error) {
        this.#forget(call);
        reject(error);
      }
    });
  }

  /** Says something that has no answer. */
  notify(method, params = []) {
    if (!this.isClosed) this.#send({ method, params });
  }

  /** @param {(cause?: Error) => void} listener called once when the connection has ended */
  onClose(listener) {
    if (this.isClosed) listener(this.#cause);
    else this.#onClose.push(listener);
  }

  /** Ends the connection; what waits for answers fails. */
  close(cause) {
    if (this.isClosed) return;
    this.closed(cause);
    this.#transport?.close();
  }

  /** Ends the connection when nothing waits for an answer any more. */
  closeWhenIdle() {
    this.#isRetired = true;
    if (this.#waiting.size === 0) this.close();
  }

  // MARK: what the transport tells

  /** Takes the text of one message. */
  receive(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch (error) {
      return this.close(errorWithStatus(502, `the other side sent no JSON: ${error.message}`));
    }
    for (const one of Array.isArray(message) ? message : [message]) this.#receiveMessage(one, text.length);
  }

  /** Takes the beginning of a message that is too long: the call that it answers fails; if it does not tell which, all do. */
  receiveTooLong(head) {
    const { id } = beginningOf(head);
    const error = errorWithStatus(413, `the answer is too long: a message has at most ${MAX_LINE} bytes, and what is longer has to be a stream`);
    const call = this.#waiting.get(id);
    if (call !== undefined) this.#fail(call, error);
    else if (id === undefined) this.close(error);
  }

  /** The connection has ended. */
  closed(cause) {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#cause = cause ?? this.#cause;
    for (const call of [...this.#waiting.values()]) this.#fail(call, disconnected(call.method, this.#cause));
    for (const flow of this.#uploads.values()) flow.cancel();
    this.#uploads.clear();
    for (const listener of this.#onClose.splice(0)) listener(cause);
  }

  // MARK: sending

  #send(message) {
    this.#transport.send(messageText(message));
  }

  #sendCall(id, method, params) {
    const place = Array.isArray(params) ? params.findIndex(isStream) : -1;
    if (place < 0) return this.#send({ id, method, params });
    if (params.slice(place + 1).some(isStream)) {
      throw errorWithStatus(400, `${method}: one parameter can be a stream, and these are several`);
    }
    this.#send({ id, method, stream: true, params: params.map((value, i) => (i === place ? { stream: true } : value)) });
    const flow = new Flow();
    this.#uploads.set(id, flow);
    const send = (frame) => this.isClosed || flow.isCancelled || this.#send({ id, ...frame });
    const forget = () => this.#uploads.delete(id);
    return sendStream(params[place], { send, room: () => this.#transport.room(), flow }).then(forget, forget);
  }

  // MARK: receiving

  #receiveMessage(message, size) {
    if (message === null || typeof message !== 'object') return;
    if (typeof message.method === 'string') this.#serve(message);
    else this.#settle(message, size);
  }

  /** A client offers no methods; signals concern the streams it sends. */
  #serve({ id, method, params }) {
    if (SIGNALS.includes(method)) return this.#uploads.get(params?.[0])?.receiveSignal(method);
    if (id === undefined || id === null) return this.onNotice?.(method, params);
    return this.#transport.send(failureText(id, methodNotFound(method)));
  }

  #settle({ id, result, error, stream }, size) {
    const call = this.#waiting.get(id);
    if (call === undefined) return this.#overhear(id, error);
    if (call.stream !== undefined) this.#continueStream(call, { result, error }, size);
    else if (error) this.#fail(call, revive(error));
    else if (stream) this.#openStream(call);
    else {
      this.#forget(call);
      call.resolve(result);
    }
  }

  /** An error that is about no call: if the connection ends now, this is why. */
  #overhear(id, error) {
    if (error && (id === undefined || id === null || id === -1)) this.#cause = revive(error);
  }

  #openStream(call) {
    const { id } = call;
    // A stream that has begun has no deadline; leaving it ends it.
    clearTimeout(call.timer);
    const signal = (method) => this.notify(method, [id]);
    call.stream = new ReceivedStream({
      cancel: () => {
        this.#forget(call);
        signal('$/cancel');
      },
      pause: () => signal('$/pause'),
      resume: () => signal('$/resume'),
    });
    call.resolve(call.stream);
  }

  #continueStream(call, { result, error }, size) {
    if (error || result?.event === 'end') this.#forget(call);
    call.stream.receive(error ? { error: revive(error) } : { result: result ?? { event: 'end' } }, size);
  }

  // MARK: the life of a call

  #limit(call, signal, timeout) {
    const give = (error) => {
      if (!this.#waiting.has(call.id)) return;
      this.notify('$/cancel', [call.id]);
      this.#fail(call, error);
    };
    if (timeout !== undefined) call.timer = setTimeout(() => give(late(call.method, timeout)), timeout);
    if (signal === undefined) return;
    const abort = () => give(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    call.stop = () => signal.removeEventListener('abort', abort);
  }

  #fail(call, error) {
    this.#forget(call);
    if (call.stream === undefined) call.reject(error);
    else call.stream.receive({ error });
  }

  #forget(call) {
    this.#waiting.delete(call.id);
    this.#uploads.get(call.id)?.cancel();
    clearTimeout(call.timer);
    call.stop?.();
    if (this.#isRetired && this.#waiting.size === 0) this.close();
    this.#keepAlive();
  }

  /** An idle connection does not keep the process alive. */
  #keepAlive() {
    this.#transport?.setBusy(this.#waiting.size > 0);
  }
}

module.exports = { Rpc };
