/** The calls this process makes to the other side, and who waits for their answers. */
import { errorWithStatus, messageText, middleware, revive, signalText, streams } from './wire.mjs';

/** Methods of pm that change nothing, so that asking twice does no harm. */
const QUESTIONS = new Set(['$metadata', 'ls', 'name', 'status', 'version']);

export class Calls {
  #prefix;
  #send;
  #waiting = new Map();
  #nextId = 1;

  /** @param {string} [prefix] what the ids begin with; without one they are numbers */
  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** @param {(text: string) => void} send */
  connect(send) {
    this.#send = send;
  }

  /**
   * Sends a request.
   * @param {string} method
   * @param {unknown[]} params
   * @returns {Promise<unknown>} the result, an async iterable when the answer is a stream; rejects with the error
   *   answered, or with statusCode 503 when there is nobody to ask
   */
  call(method, params) {
    if (this.#send === undefined) return Promise.reject(disconnected(method));
    const id = this.#prefix === undefined ? this.#nextId++ : `${this.#prefix}${this.#nextId++}`;
    return new Promise((resolve, reject) => {
      this.#send(messageText({ id, method, params }));
      this.#waiting.set(id, { method, params, resolve, reject, stream: undefined });
    });
  }

  /**
   * Gives an answer to whoever waits for it.
   * @param {{id: unknown, result?: unknown, error?: unknown, stream?: boolean}} answer
   * @param {number} [size] of its line, in bytes
   * @returns {boolean} false when nobody does
   */
  settle({ id, result, error, stream }, size) {
    const call = this.#waiting.get(id);
    if (call === undefined) return false;
    if (call.stream !== undefined) this.#continueStream(id, call.stream, { result, error }, size);
    else if (stream && !error) this.#openStream(id, call);
    else this.#close(id, call, result, error);
    return true;
  }

  /** The other side has gone: whoever waits gets an error. */
  disconnect() {
    this.#send = undefined;
    this.#failAll(disconnected);
  }

  /**
   * The daemon was replaced and does not know what the one before was asked: questions are asked again, whoever waits
   * for anything else gets an error that says it may have happened.
   */
  restart() {
    const again = [...this.#waiting.values()].filter(({ method, stream }) => QUESTIONS.has(method) && !stream);
    for (const [id, call] of this.#waiting) if (again.includes(call)) this.#waiting.delete(id);
    this.#failAll(interrupted);
    for (const { method, params, resolve, reject } of again) this.call(method, params).then(resolve, reject);
  }

  #failAll(errorOf) {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const call of waiting) {
      if (call.stream === undefined) call.reject(errorOf(call.method));
      else call.stream.receive({ error: errorOf(call.method) });
    }
  }

  #close(id, call, result, error) {
    this.#waiting.delete(id);
    if (error) call.reject(revive(error));
    else call.resolve(result);
  }

  #openStream(id, call) {
    const signal = (method) => this.#waiting.has(id) && this.#send?.(signalText(method, id));
    const cancel = () => {
      signal('$/cancel');
      this.#waiting.delete(id);
    };
    const { ReceivedStream } = streams();
    call.stream = new ReceivedStream({ cancel, pause: () => signal('$/pause'), resume: () => signal('$/resume') });
    call.resolve(call.stream);
  }

  #continueStream(id, stream, frame, size) {
    if (frame.error || frame.result?.event === 'end') this.#waiting.delete(id);
    stream.receive(frame.error ? { error: revive(frame.error) } : frame, size);
  }
}

/**
 * What service code is injected with as `pm`: the daemon, and through it every other service.
 * @param {Calls} calls
 * @returns {{name: 'pm', dispatch: (method: string, ...params: unknown[]) => Promise<unknown>}} `dispatch` calls a
 *   command of pm (`status`) or of a service (`users.get`) by name; it rejects with the error the command answered
 */
export function daemonProxy(calls) {
  const dispatch = (method, ...params) => calls.call(typeof method === 'string' ? method : method.name, params);
  return { name: 'pm', dispatch, handle: (_origin, method, ...params) => middleware().inverted(() => dispatch(method, ...params)), resolve: (name) => ({ name, config: {} }) };
}

function disconnected(method) {
  return Object.assign(errorWithStatus(503, `cannot call ${method}: not connected to pm`), { code: 'PM_DISCONNECTED' });
}

function interrupted(method) {
  const error = errorWithStatus(503, `pm was restarted before it answered ${method}`);
  return Object.assign(error, { code: 'PM_RESTARTED', retry: true });
}
