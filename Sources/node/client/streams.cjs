'use strict';

/** Streams that cross a connection: as results, and as parameters. */
const { errorWithStatus, revive } = require('./errors.cjs');

/** Frames that may wait for the code that reads a stream before its sender is told to wait; the same in characters. */
const HIGH_WATER = 64;
const HIGH_SIZE = 1024 * 1024;
/** What may wait of a sender that does not listen to that: then the stream fails. */
const MOST_FRAMES = 65536;
const MOST_SIZE = 128 * 1024 * 1024;

/** Whether a value is sent as a stream: a Readable, a web stream or any async iterable. */
function isStream(value) {
  return value !== null && typeof value === 'object' && typeof value[Symbol.asyncIterator] === 'function';
}

/** The `result` of one frame. */
function dataFrame(piece) {
  const isBuffer = piece instanceof Uint8Array;
  const data = isBuffer ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : piece;
  return { event: 'data', isBuffer, data };
}

/** A stream that the other side answers with: an async iterable of Buffers, strings or values, to be read once. */
class ResultStream {
  #frames = [];
  #size = 0;
  #wake;
  #signals;
  #isSlow = false;
  #isOver = false;

  /** @param {{cancel: () => void, pause: () => void, resume: () => void}} signals to the other side */
  constructor(signals) {
    this.#signals = signals;
  }

  /**
   * @param {{result?: object, error?: unknown}} frame
   * @param {number} [size] of its text
   */
  take(frame, size = 0) {
    if (this.#isOver) return;
    const isTooMuch = this.#frames.length >= MOST_FRAMES || this.#size + size > MOST_SIZE;
    this.#frames.push(isTooMuch ? { frame: { error: overflow() }, size: 0 } : { frame, size });
    this.#size += isTooMuch ? 0 : size;
    if (isTooMuch || frame.error !== undefined || frame.result?.event === 'end') this.#isOver = true;
    else if ((this.#frames.length >= HIGH_WATER || this.#size > HIGH_SIZE) && !this.#isSlow) this.#setSlow(true);
    if (isTooMuch) this.#signals.cancel();
    this.#wake?.();
  }

  /** Leaving the loop early tells the other side that nobody reads on. */
  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        while (this.#frames.length > 0) {
          const { result, error } = this.#next();
          if (error !== undefined) throw error instanceof Error ? error : revive(error);
          if (result.event === 'end') return;
          yield result.isBuffer ? Buffer.from(result.data) : result.data;
        }
        await new Promise((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (!this.#isOver) this.#signals.cancel();
      // Nobody reads on: what comes now is not kept.
      this.#isOver = true;
      this.#frames = [];
    }
  }

  #next() {
    const { frame, size } = this.#frames.shift();
    this.#size -= size;
    if (this.#isSlow && this.#frames.length < HIGH_WATER / 2 && this.#size < HIGH_SIZE / 2) this.#setSlow(false);
    return frame;
  }

  #setSlow(isSlow) {
    this.#isSlow = isSlow;
    if (isSlow) this.#signals.pause();
    else this.#signals.resume();
  }
}

function overflow() {
  return errorWithStatus(503, `the stream was read too slowly: more than ${MOST_FRAMES} pieces or ${MOST_SIZE} characters waited`);
}

/** A stream that this side sends as a parameter, no faster than it is read. */
class Upload {
  #source;
  #wake;
  #isPaused = false;
  #isOver = false;

  /** @param {AsyncIterable<unknown>} source */
  constructor(source) {
    this.#source = source;
  }

  /** @param {'$/cancel' | '$/pause' | '$/resume'} method */
  signal(method) {
    if (method === '$/cancel') this.stop();
    else this.#isPaused = method === '$/pause';
    if (!this.#isPaused) this.#wake?.();
  }

  /** Nobody reads it any more. */
  stop() {
    this.#isOver = true;
    this.#isPaused = false;
    this.#wake?.();
  }

  /**
   * Sends everything; resolves when that is done or nobody reads it any more.
   * @param {(frame: object) => void} send
   * @param {() => Promise<void>} room resolves when the connection can take more
   */
  async run(send, room) {
    try {
      for await (const piece of this.#source) {
        if (this.#isOver) return;
        send({ result: dataFrame(piece) });
        await room();
        while (this.#isPaused) await new Promise((resolve) => (this.#wake = resolve));
        if (this.#isOver) return;
      }
      send({ result: { event: 'end' }, stream: true });
    } catch (error) {
      if (!this.#isOver) send({ error: { message: error?.message ?? String(error), stack: String(error?.stack) } });
    }
  }
}

module.exports = { isStream, ResultStream, Upload };
