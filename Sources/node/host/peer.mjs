/**
 * One end of a JSON-RPC 2.0 conversation over lines of text: serves the other side's requests.
 *
 * Requests run concurrently and are answered as they finish. An error is never answered with an error: two ends that
 * did that would talk for ever.
 */
import { warn } from './gate/log.mjs';
import { isPromise } from './commands/inject.mjs';
import { Underway } from './underway.mjs';
import {
  beginningOf, cancelled, connection, errorObject, errorWithStatus, failureText, frameText, MAX_LINE, methodNotFound, publicError, publicFailureText, refusalText,
  resultText, RpcError, SIGNALS, signalText, streams,
} from './wire.mjs';

/** Requests of a stranger that may be at work at a time. */
const MOST_OF_STRANGER = 1024;
/** What each takes in memory beside its message, about, in bytes. */
const REQUEST = 1024;

export class Peer {
  #channel;
  #calls;
  #find;
  #running = 0;
  /** Of these the ones whose callers have cancelled, and have their answer. */
  #given = 0;
  #whenIdle = [];
  #underway = new Underway();
  #account;
  #failureText = failureText;
  #connection;

  /**
   * @param {import('./calls.mjs').Calls} calls takes the answers to our own requests
   * @param {(method: string) => ((params: unknown, call: object, peer: Peer) => unknown) | undefined} find the handler of a method
   * @param {import('./gate/budget.mjs').Account} [account] of a stranger, who may make this process hold so much and is told less of errors
   */
  constructor(calls, find, account) {
    this.#calls = calls;
    this.#find = find;
    this.#account = account;
    if (account !== undefined) this.#failureText = publicFailureText;
  }

  /** The connection as commands see it. */
  get connection() {
    this.#connection ??= new (connection().Connection)(this.#calls, () => this.#channel?.socket);
    return this.#connection;
  }

  /** @param {import('./channel.mjs').Channel | undefined} channel where answers go; undefined when it has closed */
  attach(channel) {
    this.#channel = channel;
  }

  /**
   * Takes one line. One that is not JSON is reported on stderr, and answered if its id can be read.
   * @param {string} line
   */
  receive(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch (error) {
      return this.#malformed(line, error);
    }
    if (!Array.isArray(message)) return this.#receiveMessage(message, line.length);
    for (const element of message) this.#receiveMessage(element, line.length / message.length);
  }

  /**
   * Takes the beginning of a line that was too long: its caller gets an error, and so does a call of ours that it was the answer to.
   * @param {string} head
   */
  receiveTooLong(head) {
    const { id, kind } = beginningOf(head);
    const info = `a message has at most ${MAX_LINE} bytes`;
    warn(`dropped a message of more than ${MAX_LINE} bytes: ${head.slice(0, 200)}`);
    if (kind === 'request') this.#send(refusalText(id, info, 413));
    else if (id !== undefined) this.#settle({ id, error: { message: `the answer is too long: ${info}`, statusCode: 413 } }, 0);
  }

  /**
   * Takes the messages of one line that was looked at before.
   * @param {object[]} messages
   * @param {number} size what they take in memory, in bytes
   */
  receiveAll(messages, size) {
    for (const message of messages) this.#receiveMessage(message, Math.ceil(size / messages.length));
  }

  /** Resolves when every request taken so far has been answered. */
  idle() {
    return this.#running === this.#given ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #receiveMessage(message, size) {
    if (message === null || typeof message !== 'object') return warn(`ignored a message: ${JSON.stringify(message)?.slice(0, 200)}`);
    if (message.jsonrpc !== '2.0') return this.#send(refusalText(message.id, 'jsonrpc must be exactly "2.0"'));
    if (typeof message.method === 'string') this.#serve(message, size);
    else this.#settle(message, size);
  }

  #serve({ id, method, params, stream }, size) {
    if (method === '$restarted' && this.#account === undefined) return this.#restarted();
    if (SIGNALS.includes(method)) return this.#signal(method, params);
    const handler = this.#find(method);
    if (handler === undefined) return this.#fail(id, methodNotFound(method));
    if (!isId(id)) return this.#send(refusalText(id, 'id, if provided, must be one of: null, string, number'));
    if (params !== undefined && typeof params !== 'object') {
      return this.#send(refusalText(id, 'params, if provided, must be one of: null, object, array'));
    }
    const held = size + REQUEST;
    if (this.#account !== undefined && !this.#admits(held)) return this.#fail(id, tooMuch());
    if (stream) this.#runWithStream(id, handler, params, held);
    else this.#run(id, handler, params, { size: held });
  }

  #run(id, handler, params, { size, begun }) {
    // What has no id can be neither cancelled nor streamed; what is answered at once never is.
    const call = begun ?? (isAnswered(id) ? this.#underway.add(id) : undefined);
    let result;
    try {
      result = handler(params, call, this);
    } catch (error) {
      this.#account?.release(size);
      return this.#fail(id, error, call);
    }
    if (!isPromise(result)) {
      this.#account?.release(size);
      return this.#answer(id, result, call);
    }
    this.#running++;
    const done = () => {
      this.#account?.release(size);
      if (call?.isAnswered) this.#given--;
      this.#finished();
    };
    const answered = Promise.resolve(result).then((value) => this.#answer(id, value, call));
    answered.catch((error) => this.#fail(id, error, call)).then(done, done);
  }

  /** A command that does not listen to its signal goes on, but its caller does not wait for it. */
  #signal(method, params) {
    const call = this.#underway.signal(method, params);
    if (method !== '$/cancel' || call === undefined) return;
    // One turn is for commands that do listen, and for streams, which end.
    setImmediate(() => {
      const [id] = params;
      if (call.isStreaming || !this.#underway.has(id, call)) return;
      this.#fail(id, cancelled(), call);
      call.isAnswered = true;
      this.#given++;
      this.#tellIdle();
    });
  }

  #runWithStream(id, handler, params, size) {
    if (!isAnswered(id)) {
      this.#account?.release(size);
      return warn('ignored a stream of a notification');
    }
    const call = this.#underway.add(id);
    const signal = (method) => () => this.#send(signalText(method, id));
    const { ReceivedStream } = streams();
    call.stream = new ReceivedStream({ cancel: signal('$/cancel'), pause: signal('$/pause'), resume: signal('$/resume'), account: this.#account });
    return this.#run(id, handler, withStream(params, call.stream), { size, begun: call });
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
    this.#running--;
    this.#tellIdle();
  }

  #tellIdle() {
    if (this.#running === this.#given) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #answer(id, result, call) {
    if (!isAnswered(id)) return undefined;
    if (call?.isAnswered) return isStream(result) ? result[Symbol.asyncIterator]().return?.() : undefined;
    if (isStream(result)) return this.#stream(id, result, call);
    this.#underway.end(id);
    return this.#send(resultText(id, result, this.#failureText));
  }

  async #stream(id, result, call) {
    this.#running++;
    call.isStreaming = true;
    const channel = this.#channel;
    const send = (frame) => channel?.send(frameText(id, frame));
    const describe = this.#account === undefined ? errorObject : publicError;
    send({ stream: true, result: {} });
    await streams().sendStream(result, { send, room: () => (channel?.congested ? breath(channel) : undefined), flow: call, describe });
    this.#underway.end(id);
    this.#finished();
  }

  #fail(id, error, call) {
    if (!isAnswered(id)) return warn(`a notification failed: ${error?.stack ?? error}`);
    if (call?.isAnswered) return undefined;
    this.#underway.end(id);
    return this.#send(this.#failureText(id, error));
  }

  #send(text) {
    this.#channel?.send(text);
  }

  #settle(message, size) {
    const { id, result, error } = message;
    if (result === undefined && error === undefined) {
      const info = 'replies must have either a result or error';
      // Who waits for it must not wait for ever.
      this.#calls.settle({ id, error: { message: info, statusCode: 502 } });
      return this.#send(refusalText(id, info));
    }
    if (this.#calls.settle(message, size) || this.#underway.receiveFrame(message, size)) return;
    if (error) warn(`ignored an error nobody waits for: ${JSON.stringify(error).slice(0, 200)}`);
    else if (isId(id)) this.#send(refusalText(id, `no response handler for id ${id}`));
  }

  /** Whether a stranger may have another request at work: then it is held. */
  #admits(size) {
    return this.#running < MOST_OF_STRANGER && this.#account.hold(size);
  }

  #malformed(line, error) {
    warn(`ignored a malformed line (${error.message}): ${line.slice(0, 200)}`);
    const { id, kind } = beginningOf(line);
    if (id === undefined) return;
    if (kind === 'request') this.#fail(id, new RpcError('parseError', error.message));
    else this.#settle({ id, error: { message: `the answer is not JSON: ${error.message}`, statusCode: 502 } }, 0);
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

/** Waits until the other side has read, and has been read: it may have said that the stream is to wait. */
async function breath(channel) {
  await channel.drained();
  if (channel.closed) return;
  // The first one comes in the turn that has drained it, before anything is read.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

/**
 * Puts a stream in the place of the parameter that stands for it: `{"stream":true}` in a list, else all there is.
 * @param {unknown} params
 * @param {object} stream
 */
function withStream(params, stream) {
  if (!Array.isArray(params)) return [stream];
  const place = params.findIndex((value) => value !== null && typeof value === 'object' && value.stream === true);
  return place < 0 ? [...params, stream] : params.map((value, index) => (index === place ? stream : value));
}

function isStream(value) {
  return value !== null && typeof value === 'object' && typeof value[Symbol.asyncIterator] === 'function';
}
