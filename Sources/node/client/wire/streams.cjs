'use strict';

/**
 * Streams over a connection: one frame for each piece, then one that says `end`, or an error; all with the id of the call.
 * They are results of calls, or parameters.
 */
const { errorObject, errorWithStatus, revive } = require('./errors.cjs');
const { HIGH_BYTES, HIGH_PIECES, MOST_BYTES, MOST_PIECES } = require('./limits.cjs');

/** Whether a value is sent as a stream: a Readable, a web stream or any async iterable. */
function isStream(value) {
  return value !== null && typeof value === 'object' && typeof value[Symbol.asyncIterator] === 'function';
}

/**
 * Sends everything a stream yields, no faster than the other side reads; resolves when its last frame is sent.
 * @param {AsyncIterable<unknown>} source Buffers, strings or values
 * @param {{send: (frame: object) => void, room: () => Promise<void> | undefined, flow: import('./flow.cjs').Flow, describe?: Function}} to
 *   `send` throws for a frame that is too long; `room` returns a promise when the other side has to read first; `describe` makes what the
 *   other side gets of an error
 */
async function sendStream(source, { send, room, flow, describe = errorObject }) {
  try {
    for await (const piece of untilCancelled(source, flow)) {
      send({ result: dataFrame(piece) });
      const reading = room();
      if (reading !== undefined) await reading;
      if (flow.isPaused) await flow.resumed();
      // Leaving the loop ends the source as well.
      if (flow.isCancelled) break;
    }
    send({ result: { event: 'end' }, stream: true });
  } catch (error) {
    send({ error: describe(error) });
  }
}

/** The `result` of one frame. */
function dataFrame(piece) {
  const isBuffer = piece instanceof Uint8Array;
  const data = isBuffer ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : piece;
  return { event: 'data', isBuffer, data };
}

/** The pieces of a stream; a source that yields nothing for now does not keep a cancelled stream open. */
async function* untilCancelled(source, flow) {
  const pieces = source[Symbol.asyncIterator]();
  let stop = () => {};
  flow.signal.addEventListener('abort', () => stop(), { once: true });
  try {
    while (!flow.isCancelled) {
      const { done, value } = await new Promise((resolve, reject) => {
        stop = () => resolve({ done: true });
        Promise.resolve(pieces.next()).then(resolve, reject);
      });
      if (done) return;
      yield value;
    }
  } finally {
    // A generator that waits for something of its own ends when that has come: nobody waits for it.
    Promise.resolve(pieces.return?.()).catch(() => {});
  }
}

/** A stream that the other side sends: an async iterable of Buffers, strings or values, to be read once. */
class ReceivedStream {
  #frames = [];
  /** Where in the list the first one is that was not read. */
  #first = 0;
  #bytes = 0;
  #wake;
  #signals;
  #account;
  #isSlow = false;
  #isOver = false;

  /**
   * @param {{cancel?: () => void, pause?: () => void, resume?: () => void, account?: object}} [options] signals to the other side;
   *   `account`: what a stranger may make this process hold
   */
  constructor({ account, ...signals } = {}) {
    this.#signals = signals;
    this.#account = account;
  }

  /**
   * Hands a stream to its caller.
   * @param {object[]} early frames that have come already, with their `size`
   * @param {(stream: ReceivedStream) => void} open gets the stream
   * @param {object} [options] as of the constructor
   * @returns {(frame: {result?: object, error?: unknown}, size?: number) => void} takes the frames to come
   */
  static feed(early, open, options) {
    const stream = new ReceivedStream(options);
    for (const { size, ...frame } of early) stream.receive(frame, size);
    open(stream);
    return (frame, size) => stream.receive(frame, size);
  }

  /**
   * @param {{result?: object, error?: unknown}} frame
   * @param {number} [size] of its text
   */
  receive(frame, size = 0) {
    if (this.#isOver) return;
    const isTooMuch = this.#count >= MOST_PIECES || this.#bytes + size > MOST_BYTES;
    const isRefused = isTooMuch || this.#account?.hold(size) === false;
    this.#frames.push(isRefused ? { frame: { error: overflow(isTooMuch) }, size: 0 } : { frame, size });
    this.#bytes += isRefused ? 0 : size;
    this.#isOver = isRefused || isLast(frame);
    if (isRefused) this.#signals.cancel?.();
    else if (!this.#isOver && !this.#isSlow && (this.#count >= HIGH_PIECES || this.#bytes > HIGH_BYTES)) this.#setSlow(true);
    this.#wake?.();
  }

  /** Leaving the loop early tells the other side that nobody reads on. */
  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        while (this.#count > 0) {
          const { result, error } = this.#next();
          if (error) throw error instanceof Error ? error : revive(error);
          if (isLast({ result })) return;
          yield result.isBuffer ? Buffer.from(result.data) : result.data;
        }
        await new Promise((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (!this.#isOver) this.#signals.cancel?.();
      // What comes now is not kept.
      this.#isOver = true;
      this.#account?.release(this.#bytes);
      [this.#frames, this.#first, this.#bytes] = [[], 0, 0];
    }
  }

  get #count() {
    return this.#frames.length - this.#first;
  }

  /** Not by `shift`, which moves all the others. */
  #next() {
    const { frame, size } = this.#frames[this.#first];
    this.#frames[this.#first++] = undefined;
    if (2 * this.#first > this.#frames.length) [this.#frames, this.#first] = [this.#frames.slice(this.#first), 0];
    this.#bytes -= size;
    this.#account?.release(size);
    if (this.#isSlow && this.#count < HIGH_PIECES / 2 && this.#bytes < HIGH_BYTES / 2) this.#setSlow(false);
    return frame;
  }

  #setSlow(isSlow) {
    this.#isSlow = isSlow;
    if (this.#isOver) return;
    if (isSlow) this.#signals.pause?.();
    else this.#signals.resume?.();
  }
}

/** Whether a frame ends its stream. */
function isLast({ result, error }) {
  return Boolean(error) || result === undefined || result === null || result.event === 'end';
}

function overflow(isOfStream) {
  const most = isOfStream ? `${MOST_PIECES} pieces or ${MOST_BYTES} bytes` : 'a client may send ahead';
  return errorWithStatus(503, `the stream was read too slowly: more than ${most} waited`);
}

module.exports = { isLast, isStream, ReceivedStream, sendStream };
