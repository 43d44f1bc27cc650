/**
 * Streams over a channel: a first frame with `"stream":true`, one frame for each piece, a last one that says `end`, or
 * an error; all with the id of the call.
 */
import { errorWithStatus, revive } from './errors.mjs';
import { errorLine as fullErrorLine } from './replies.mjs';

/** Frames of a received stream that may wait for the code that reads it, before the sender is told to wait. */
const HIGH_WATER = 64;
/** The same in bytes. */
const HIGH_BYTES = 1024 * 1024;
/** What may wait of a sender that does not listen to that: then the stream fails. */
const MOST_FRAMES = 65536;
const MOST_BYTES = 128 * 1024 * 1024;

/**
 * Sends everything a stream yields, no faster than the other side reads.
 * @param {import('./channel.mjs').Channel} channel
 * @param {string | number} id of the request it answers
 * @param {AsyncIterable<unknown>} stream a Readable, a web stream or any async iterable: Buffers, strings or values
 * @param {{call?: import('./underway.mjs').Call, errorLine?: Function}} [options] `call` tells it to wait, or to end; `errorLine` writes
 *   what the receiver is told of an error
 */
export async function sendStream(channel, id, stream, { call, errorLine = fullErrorLine } = {}) {
  const idText = JSON.stringify(id);
  channel.send(`{"id":${idText},"stream":true,"result":{},"jsonrpc":"2.0"}\n`);
  try {
    for await (const piece of untilCancelled(stream, call)) {
      channel.send(`{"id":${idText},"result":${dataText(piece)},"jsonrpc":"2.0"}\n`);
      if (channel.congested) await breath(channel);
      if (call?.isPaused) await call.resumed();
      // Leaving the loop ends the source as well.
      if (channel.closed || call?.cancelled) break;
    }
    channel.send(`{"id":${idText},"result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}\n`);
  } catch (error) {
    channel.send(errorLine(id, error));
  }
}

/** Waits until the other side has read, and has been read: it may have said that the stream is to wait. */
async function breath(channel) {
  await channel.drained();
  if (channel.closed) return;
  // The first one comes in the turn that has drained it, before anything is read.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

/** The pieces of a stream; a source that yields nothing for now does not keep a cancelled stream open. */
async function* untilCancelled(stream, call) {
  if (call === undefined) return yield* stream;
  const pieces = stream[Symbol.asyncIterator]();
  const cancelled = new Promise((resolve) => {
    call.signal.addEventListener('abort', () => resolve({ done: true }), { once: true });
    if (call.cancelled) resolve({ done: true });
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([pieces.next(), cancelled]);
      if (done) return;
      yield value;
    }
  } finally {
    // A generator that waits for something of its own ends when that has come: nobody waits for it.
    Promise.resolve(pieces.return?.()).catch(() => {});
  }
}

function dataText(piece) {
  const isBuffer = piece instanceof Uint8Array;
  const data = isBuffer ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : piece;
  return JSON.stringify({ event: 'data', isBuffer, data });
}

/** A stream that the other side sends: an async iterable of Buffers, strings or values. */
export class ReceivedStream {
  #frames = [];
  #wake;
  #flow;
  #account;
  #bytes = 0;
  #isSlow = false;
  #isFull = false;

  /**
   * @param {{flow?: (isSlow: boolean) => void, account?: import('./gate/budget.mjs').Account}} [options] `flow`: told when the sender is to
   *   wait, and when it may go on; `account`: what a stranger may make this process hold
   */
  constructor({ flow = () => {}, account } = {}) {
    this.#flow = flow;
    this.#account = account;
  }

  /**
   * Hands a stream to its caller.
   * @param {object[]} early frames that have come already
   * @param {(stream: ReceivedStream) => void} open gets the stream
   * @param {object} [options] as of the constructor
   * @returns {(frame: {result?: object, error?: Error}, size?: number) => void} takes the frames to come
   */
  static feed(early, open, options) {
    const stream = new ReceivedStream(options);
    for (const { size, ...frame } of early) stream.take(frame, size);
    open(stream);
    return (frame, size) => stream.take(frame, size);
  }

  /**
   * @param {{result?: object, error?: object}} frame
   * @param {number} [size] of its line, in bytes
   */
  take(frame, size = 0) {
    if (this.#isFull) return;
    const isTooMuch = this.#frames.length >= MOST_FRAMES || this.#bytes + size > MOST_BYTES;
    this.#isFull = isTooMuch || this.#account?.hold(size) === false;
    this.#frames.push(this.#isFull ? { frame: { error: overflow(isTooMuch) }, size: 0 } : { frame, size });
    this.#bytes += this.#isFull ? 0 : size;
    if ((this.#frames.length >= HIGH_WATER || this.#bytes > HIGH_BYTES) && !this.#isSlow) this.#setSlow(true);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        while (this.#frames.length > 0) {
          const { result, error } = this.#next();
          if (error) throw error instanceof Error ? error : revive(error);
          if (result.event === 'end') return;
          yield result.isBuffer ? Buffer.from(result.data) : result.data;
        }
        await new Promise((resolve) => (this.#wake = resolve));
      }
    } finally {
      // Nobody reads on: what comes now is not kept.
      this.#isFull = true;
      while (this.#frames.length > 0) this.#next();
    }
  }

  #next() {
    const { frame, size } = this.#frames.shift();
    this.#bytes -= size;
    this.#account?.release(size);
    if (this.#isSlow && this.#frames.length < HIGH_WATER / 2 && this.#bytes < HIGH_BYTES / 2) this.#setSlow(false);
    return frame;
  }

  #setSlow(isSlow) {
    this.#isSlow = isSlow;
    this.#flow(isSlow);
  }
}

/**
 * Puts a stream in the place of the parameter that stands for it: `{"stream":true}` in a list, else all there is.
 * @param {unknown} params
 * @param {ReceivedStream} stream
 */
export function withStream(params, stream) {
  if (!Array.isArray(params)) return [stream];
  const place = params.findIndex((value) => value !== null && typeof value === 'object' && value.stream === true);
  return place < 0 ? [...params, stream] : params.map((value, index) => (index === place ? stream : value));
}

function overflow(isOfStream) {
  const most = isOfStream ? `${MOST_FRAMES} pieces or ${MOST_BYTES} bytes` : 'a client may send ahead';
  return errorWithStatus(503, `the stream was read too slowly: more than ${most} waited`);
}
