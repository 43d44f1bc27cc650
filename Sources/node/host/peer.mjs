/**
 * One end of a JSON-RPC 2.0 conversation over lines of text: serves the other side's requests.
 *
 * Requests run concurrently and are answered as they finish. An error is never answered with an error: two ends that
 * did that would talk for ever.
 */
import { methodNotFound, RpcError } from './errors.mjs';
import { isPromise } from './inject.mjs';
import { errorLine, refusalLine, resultLine } from './replies.mjs';
import { SIGNALS, Underway } from './underway.mjs';

/** The id of a request whose line is broken further on, so that its caller can be answered. */
const LEADING_ID = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")\s*,/;

export class Peer {
  #channel;
  #calls;
  #find;
  #running = 0;
  #whenIdle = [];
  #underway = new Underway();

  /**
   * @param {import('./calls.mjs').Calls} calls takes the answers to our own requests
   * @param {(method: string) => ((params: unknown) => unknown) | undefined} find the handler of a method
   */
  constructor(calls, find) {
    this.#calls = calls;
    this.#find = find;
  }

  /** @param {import('./channel.mjs').Channel | undefined} channel where answers go; undefined when it has closed */
  attach(channel) {
    this.#channel = channel;
  }

  /**
   * Takes one line. Empty lines are skipped; one that is not JSON is reported on stderr, and answered if its id can be
   * read.
   * @param {string} line
   */
  receive(line) {
    if (line === '' || line === '\r') return;
    let message;
    try {
      message = JSON.parse(line);
    } catch (error) {
      return this.#malformed(line, error);
    }
    if (!Array.isArray(message)) return this.#take(message);
    for (const element of message) this.#take(element);
  }

  /** Resolves when every request taken so far has been answered. */
  idle() {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #take(message) {
    if (message === null || typeof message !== 'object') return warn(`ignored a message: ${JSON.stringify(message)}`);
    if (message.jsonrpc !== '2.0') return this.#send(refusalLine(message.id, 'jsonrpc must be exactly "2.0"'));
    if (typeof message.method === 'string') this.#serve(message);
    else this.#settle(message);
  }

  #serve({ id, method, params, stream }) {
    if (method === '$restarted') return this.#restarted();
    if (SIGNALS.includes(method)) return this.#underway.signal(method, params);
    const handler = this.#find(method);
    if (handler === undefined) return this.#fail(id, methodNotFound(method));
    if (!isId(id)) return this.#send(refusalLine(id, 'id, if provided, must be one of: null, string, number'));
    if (params !== undefined && typeof params !== 'object') {
      return this.#send(refusalLine(id, 'params, if provided, must be one of: null, object, array'));
    }
    if (stream) this.#runWithStream(id, handler, params);
    else this.#run(id, handler, params);
  }

  #run(id, handler, params, begun) {
    // What has no id can be neither cancelled nor streamed; what is answered at once never is.
    const call = begun ?? (isAnswered(id) ? this.#underway.begin(id) : undefined);
    let result;
    try {
      result = handler(params, call);
    } catch (error) {
      return this.#fail(id, error);
    }
    if (!isPromise(result)) return this.#answer(id, result, call);
    this.#running++;
    const done = () => this.#finished();
    const answered = Promise.resolve(result).then((value) => this.#answer(id, value, call));
    answered.catch((error) => this.#fail(id, error)).then(done, done);
  }

  /** Frames that come before the code for streams is read wait in `early`. */
  async #runWithStream(id, handler, params) {
    if (!isAnswered(id)) return warn('ignored a stream of a notification');
    const call = this.#underway.begin(id);
    const early = [];
    call.take = (frame) => early.push(frame);
    this.#running++;
    const { ReceivedStream, withStream } = await import('./streams.mjs');
    const take = ReceivedStream.feed(
      early,
      (stream) => this.#run(id, handler, withStream(params, stream), call),
      (isSlow) => this.#send(signalLine(isSlow ? '$/pause' : '$/resume', id)),
    );
    if (call.take !== undefined && !early.some(isLast)) call.take = take;
    this.#finished();
  }

  /** The daemon was replaced by one that knows nothing of what the one before had asked. */
  #restarted() {
    this.#underway.cancelAll();
    this.#calls.restart();
  }

  /** The other side is gone: nobody wants the answers. */
  abandon() {
    this.attach(undefined);
    this.#underway.cancelAll();
  }

  #finished() {
    if (--this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #answer(id, result, call) {
    if (!isAnswered(id)) return undefined;
    if (isStream(result)) return this.#stream(id, result, call);
    this.#underway.end(id);
    return this.#send(resultLine(id, result));
  }

  /** The code for streams is read when the first one is answered: most services never do. */
  async #stream(id, result, call) {
    this.#running++;
    const { sendStream } = await import('./streams.mjs');
    if (this.#channel !== undefined) await sendStream(this.#channel, id, result, call);
    this.#underway.end(id);
    this.#finished();
  }

  #fail(id, error) {
    if (!isAnswered(id)) return warn(`a notification failed: ${error?.stack ?? error}`);
    this.#underway.end(id);
    return this.#send(errorLine(id, error));
  }

  #send(line) {
    this.#channel?.send(line);
  }

  #settle(message) {
    const { id, result, error } = message;
    if (result === undefined && error === undefined) {
      const info = 'replies must have either a result or error';
      // Who waits for it must not wait for ever.
      this.#calls.settle({ id, error: { message: info, statusCode: 502 } });
      return this.#send(refusalLine(id, info));
    }
    if (this.#calls.settle(message) || this.#underway.take(message)) return;
    if (error) warn(`ignored an error nobody waits for: ${JSON.stringify(error)}`);
    else if (isId(id)) this.#send(refusalLine(id, `no response handler for id ${id}`));
  }

  #malformed(line, error) {
    warn(`ignored a malformed line (${error.message}): ${line.slice(0, 200)}`);
    const id = LEADING_ID.exec(line)?.[1];
    if (id) this.#fail(JSON.parse(id), new RpcError('parseError', error.message));
  }
}

function isId(id) {
  return id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
}

function isAnswered(id) {
  return id !== undefined && id !== null;
}

function isLast({ result, error }) {
  return error !== undefined || result?.event === 'end';
}

/** A notification about a call on this connection. */
export function signalLine(method, id) {
  return `${JSON.stringify({ jsonrpc: '2.0', method, params: [id] })}\n`;
}

function isStream(value) {
  return value !== null && typeof value === 'object' && typeof value[Symbol.asyncIterator] === 'function';
}

function warn(text) {
  process.stderr.write(`pm: ${text}\n`);
}
