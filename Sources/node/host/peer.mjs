/**
 * One end of a JSON-RPC 2.0 conversation over lines of text: serves the other side's requests.
 *
 * Requests run concurrently and are answered as they finish. An error is never answered with an error: two ends that
 * did that would talk for ever.
 */
import { errorWithStatus, methodNotFound, RpcError } from './errors.mjs';
import { warn } from './gate/log.mjs';
import { isPromise } from './inject.mjs';
import { errorLine, publicErrorLine, refusalLine, resultLine } from './replies.mjs';
import { SIGNALS, Underway } from './underway.mjs';

/** The id of a request whose line is broken further on, so that its caller can be answered. */
const LEADING_ID = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")\s*,/;

/** Requests of a stranger that may be at work at a time. */
const MOST_OF_STRANGER = 1024;
/** What each takes in memory beside its message, about, in bytes. */
const REQUEST = 1024;

export class Peer {
  #channel;
  #calls;
  #find;
  #running = 0;
  #whenIdle = [];
  #underway = new Underway();
  #account;
  #errorLine = errorLine;

  /**
   * @param {import('./calls.mjs').Calls} calls takes the answers to our own requests
   * @param {(method: string) => ((params: unknown) => unknown) | undefined} find the handler of a method
   * @param {import('./gate/budget.mjs').Account} [account] of a stranger, who may make this process hold so much and is told less of errors
   */
  constructor(calls, find, account) {
    this.#calls = calls;
    this.#find = find;
    this.#account = account;
    if (account !== undefined) this.#errorLine = publicErrorLine;
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
    if (!Array.isArray(message)) return this.#take(message, line.length);
    for (const element of message) this.#take(element, line.length / message.length);
  }

  /**
   * Takes the messages of one line that was looked at before.
   * @param {object[]} messages
   * @param {number} size what they take in memory, in bytes
   */
  receiveAll(messages, size) {
    for (const message of messages) this.#take(message, Math.ceil(size / messages.length));
  }

  /** Resolves when every request taken so far has been answered. */
  idle() {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #take(message, size) {
    if (message === null || typeof message !== 'object') return warn(`ignored a message: ${JSON.stringify(message)?.slice(0, 200)}`);
    if (message.jsonrpc !== '2.0') return this.#send(refusalLine(message.id, 'jsonrpc must be exactly "2.0"'));
    if (typeof message.method === 'string') this.#serve(message, size);
    else this.#settle(message, size);
  }

  #serve({ id, method, params, stream }, size) {
    if (method === '$restarted' && this.#account === undefined) return this.#restarted();
    if (SIGNALS.includes(method)) return this.#underway.signal(method, params);
    const handler = this.#find(method);
    if (handler === undefined) return this.#fail(id, methodNotFound(method));
    if (!isId(id)) return this.#send(refusalLine(id, 'id, if provided, must be one of: null, string, number'));
    if (params !== undefined && typeof params !== 'object') {
      return this.#send(refusalLine(id, 'params, if provided, must be one of: null, object, array'));
    }
    const held = size + REQUEST;
    if (this.#account !== undefined && !this.#admits(held)) return this.#fail(id, tooMuch());
    if (stream) this.#runWithStream(id, handler, params, held);
    else this.#run(id, handler, params, { size: held });
  }

  #run(id, handler, params, { size, begun }) {
    // What has no id can be neither cancelled nor streamed; what is answered at once never is.
    const call = begun ?? (isAnswered(id) ? this.#underway.begin(id) : undefined);
    let result;
    try {
      result = handler(params, call);
    } catch (error) {
      this.#account?.release(size);
      return this.#fail(id, error);
    }
    if (!isPromise(result)) {
      this.#account?.release(size);
      return this.#answer(id, result, call);
    }
    this.#running++;
    const done = () => {
      this.#account?.release(size);
      this.#finished();
    };
    const answered = Promise.resolve(result).then((value) => this.#answer(id, value, call));
    answered.catch((error) => this.#fail(id, error)).then(done, done);
  }

  /** Frames that come before the code for streams is read wait in `early`. */
  async #runWithStream(id, handler, params, size) {
    if (!isAnswered(id)) {
      this.#account?.release(size);
      return warn('ignored a stream of a notification');
    }
    const call = this.#underway.begin(id);
    const early = [];
    call.take = (frame, length) => early.push({ ...frame, size: length });
    this.#running++;
    const { ReceivedStream, withStream } = await import('./streams.mjs');
    const take = ReceivedStream.feed(
      early,
      (stream) => this.#run(id, handler, withStream(params, stream), { size, begun: call }),
      { flow: (isSlow) => this.#send(signalLine(isSlow ? '$/pause' : '$/resume', id)), account: this.#account },
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
    return this.#send(resultLine(id, result, this.#errorLine));
  }

  /** The code for streams is read when the first one is answered: most services never do. */
  async #stream(id, result, call) {
    this.#running++;
    const { sendStream } = await import('./streams.mjs');
    if (this.#channel !== undefined) await sendStream(this.#channel, id, result, { call, errorLine: this.#errorLine });
    this.#underway.end(id);
    this.#finished();
  }

  #fail(id, error) {
    if (!isAnswered(id)) return warn(`a notification failed: ${error?.stack ?? error}`);
    this.#underway.end(id);
    return this.#send(this.#errorLine(id, error));
  }

  #send(line) {
    this.#channel?.send(line);
  }

  #settle(message, size) {
    const { id, result, error } = message;
    if (result === undefined && error === undefined) {
      const info = 'replies must have either a result or error';
      // Who waits for it must not wait for ever.
      this.#calls.settle({ id, error: { message: info, statusCode: 502 } });
      return this.#send(refusalLine(id, info));
    }
    if (this.#calls.settle(message, size) || this.#underway.take(message, size)) return;
    if (error) warn(`ignored an error nobody waits for: ${JSON.stringify(error).slice(0, 200)}`);
    else if (isId(id)) this.#send(refusalLine(id, `no response handler for id ${id}`));
  }

  /** Whether a stranger may have another request at work: then it is held. */
  #admits(size) {
    return this.#running < MOST_OF_STRANGER && this.#account.hold(size);
  }

  #malformed(line, error) {
    warn(`ignored a malformed line (${error.message}): ${line.slice(0, 200)}`);
    const id = LEADING_ID.exec(line)?.[1];
    if (id) this.#fail(JSON.parse(id), new RpcError('parseError', error.message));
  }
}

function tooMuch() {
  return errorWithStatus(503, 'too much waits for this service already: try again later');
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
