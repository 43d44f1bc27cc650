/**
 * Streams over a channel: a first frame with `"stream":true`, one frame for each piece, a last one that says `end`, or
 * an error; all with the id of the call.
 */
import { errorLine } from './replies.mjs';
import { errorWithStatus } from './errors.mjs';

/** Frames that wait for a reader who is slower than the stream; one more ends it with an error. */
const MOST_FRAMES = 65536;

/**
 * Sends everything a stream yields, no faster than the other side reads.
 * @param {import('./channel.mjs').Channel} channel
 * @param {string | number} id of the request it answers
 * @param {AsyncIterable<unknown>} stream a Readable, a web stream or any async iterable: Buffers, strings or values
 */
export async function sendStream(channel, id, stream) {
  const idText = JSON.stringify(id);
  channel.send(`{"id":${idText},"stream":true,"result":{},"jsonrpc":"2.0"}\n`);
  try {
    for await (const piece of stream) {
      channel.send(`{"id":${idText},"result":${dataText(piece)},"jsonrpc":"2.0"}\n`);
      if (channel.congested) await channel.drained();
      // Leaving the loop ends the source as well.
      if (channel.closed) return;
    }
    channel.send(`{"id":${idText},"result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}\n`);
  } catch (error) {
    channel.send(errorLine(id, error));
  }
}

function dataText(piece) {
  const isBuffer = piece instanceof Uint8Array;
  const data = isBuffer ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : piece;
  return JSON.stringify({ event: 'data', isBuffer, data });
}

/** A stream that another service answered with: an async iterable of Buffers, strings or values. */
export class ReceivedStream {
  #frames = [];
  #wake;

  /**
   * Hands a stream to its caller.
   * @param {object[]} early frames that have come already
   * @param {(stream: ReceivedStream) => void} open gets the stream
   * @returns {(frame: {result?: object, error?: Error}) => void} takes the frames to come
   */
  static feed(early, open) {
    const stream = new ReceivedStream();
    stream.#frames.push(...early);
    open(stream);
    return (frame) => {
      stream.#take(frame);
      stream.#wake?.();
    };
  }

  /** The channel cannot wait for one slow reader: answers to all other calls come over it, too. */
  #take(frame) {
    if (this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
    else if (this.#frames.length === MOST_FRAMES) this.#frames.push({ error: overflow() });
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      for (const { result, error } of this.#frames.splice(0)) {
        if (error) throw error;
        if (result.event === 'end') return;
        yield result.isBuffer ? Buffer.from(result.data) : result.data;
      }
      if (this.#frames.length === 0) await new Promise((resolve) => (this.#wake = resolve));
    }
  }
}

function overflow() {
  return errorWithStatus(503, `the stream was read too slowly: more than ${MOST_FRAMES} pieces waited`);
}
