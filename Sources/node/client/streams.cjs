'use strict';

/** Streams that cross a connection: as results, and as parameters. */
const { revive } = require('./errors.cjs');

/** Frames that may wait for the code that reads a stream before its sender is told to wait. */
const HIGH_WATER = 64;

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
  #wake;
  #signals;
  #isSlow = false;
  #isOver = false;

  /** @param {{cancel: () => void, pause: () => void, resume: () => void}} signals to the other side */
  constructor(signals) {
    this.#signals = signals;
  }

  /** @param {{result?: object, error?: unknown}} frame */
  take(frame) {
    this.#frames.push(frame);
    if (frame.error !== undefined || frame.result?.event === 'end') this.#isOver = true;
    else if (this.#frames.length >= HIGH_WATER && !this.#isSlow) this.#setSlow(true);
    this.#wake?.();
  }

  /** Leaving the loop early tells the other side that nobody reads on. */
  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        while (this.#frames.length > 0) {
          const { result, error } = this.#frames.shift();
          if (this.#isSlow && this.#frames.length < HIGH_WATER / 2) this.#setSlow(false);
          if (error !== undefined) throw error instanceof Error ? error : revive(error);
          if (result.event === 'end') return;
          yield result.isBuffer ? Buffer.from(result.data) : result.data;
        }
        await new Promise((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (!this.#isOver) this.#signals.cancel();
      this.#frames = [];
    }
  }

  #setSlow(isSlow) {
    this.#isSlow = isSlow;
    if (isSlow) this.#signals.pause();
    else this.#signals.resume();
  }
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
