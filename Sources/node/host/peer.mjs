/**
 * One end of a JSON-RPC 2.0 conversation over lines of text: serves the other side's requests.
 *
 * Requests run concurrently and are answered as they finish. An error is never answered with an error: two ends that
 * did that would talk for ever.
 */
import { errorWithStatus, methodNotFound, RpcError } from './errors.mjs';
import { isPromise } from './inject.mjs';
import { errorLine, refusalLine, resultLine } from './replies.mjs';

/** The id of a request whose line is broken further on, so that its caller can be answered. */
const LEADING_ID = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")\s*,/;

export class Peer {
  #channel;
  #calls;
  #find;
  #running = 0;
  #whenIdle = [];

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
    if (method === '$restarted') return this.#calls.restart();
    const handler = this.#find(method);
    if (handler === undefined) return this.#fail(id, methodNotFound(method));
    if (!isId(id)) return this.#send(refusalLine(id, 'id, if provided, must be one of: null, string, number'));
    if (params !== undefined && typeof params !== 'object') {
      return this.#send(refusalLine(id, 'params, if provided, must be one of: null, object, array'));
    }
    if (stream) return this.#fail(id, errorWithStatus(400, `${method}: a stream as parameter is not supported`));
    this.#run(id, handler, params);
  }

  #run(id, handler, params) {
    let result;
    try {
      result = handler(params);
    } catch (error) {
      return this.#fail(id, error);
    }
    if (!isPromise(result)) return this.#answer(id, result);
    this.#running++;
    const done = () => this.#finished();
    Promise.resolve(result).then((value) => this.#answer(id, value), (error) => this.#fail(id, error)).then(done, done);
  }

  #finished() {
    if (--this.#running === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #answer(id, result) {
    if (id === undefined || id === null) return;
    if (isStream(result)) this.#stream(id, result);
    else this.#send(resultLine(id, result));
  }

  /** The code for streams is read when the first one is answered: most services never do. */
  async #stream(id, result) {
    this.#running++;
    const { sendStream } = await import('./streams.mjs');
    if (this.#channel !== undefined) await sendStream(this.#channel, id, result);
    this.#finished();
  }

  #fail(id, error) {
    if (id === undefined || id === null) warn(`a notification failed: ${error?.stack ?? error}`);
    else this.#send(errorLine(id, error));
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
    if (this.#calls.settle(message)) return;
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

function isStream(value) {
  return value !== null && typeof value === 'object' && typeof value[Symbol.asyncIterator] === 'function';
}

function warn(text) {
  process.stderr.write(`pm: ${text}\n`);
}
