/**
 * Cuts a byte stream into lines of text.
 *
 * A region is decoded once, up to its last newline: UTF-8 never has a newline byte inside a character, so no character
 * is ever cut, whatever the sizes of the reads.
 */

/** Longest line accepted, in bytes; a longer one is dropped whole, since it could not become a JavaScript string. */
export const MAX_LINE = 256 * 1024 * 1024;

const NEWLINE = 10;

export class LineSplitter {
  #pending = [];
  #size = 0;
  #skipping = false;
  #onLine;
  #limit;

  /**
   * @param {(line: string) => void} onLine called with each line, without its newline
   * @param {number} [limit] longest line in bytes
   */
  constructor(onLine, limit = MAX_LINE) {
    this.#onLine = onLine;
    this.#limit = limit;
  }

  /**
   * Takes the next bytes. The buffer may be reused by the caller afterwards.
   * @param {Buffer} chunk
   */
  push(chunk) {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) return this.#keep(chunk);
    const text = this.#take(chunk, last);
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#onLine(text.slice(start, end));
      start = end + 1;
    }
    this.#onLine(start === 0 ? text : text.slice(start));
  }

  #take(chunk, last) {
    if (this.#skipping) return this.#resume(chunk, last);
    if (this.#size === 0) return chunk.utf8Slice(0, last);
    const whole = Buffer.concat([...this.#pending, chunk.subarray(0, last)]);
    this.#forget();
    return whole.utf8Slice(0, whole.length);
  }

  #keep(chunk) {
    if (this.#skipping) return;
    this.#size += chunk.length;
    if (this.#size > this.#limit) {
      this.#forget();
      this.#skipping = true;
      return;
    }
    this.#pending.push(Buffer.from(chunk));
  }

  /** The rest of an oversized line ends at the first newline of this chunk. */
  #resume(chunk, last) {
    this.#skipping = false;
    process.stderr.write(`pm: dropped a line of more than ${this.#limit} bytes\n`);
    const first = chunk.indexOf(NEWLINE);
    return first === last ? '' : chunk.utf8Slice(first + 1, last);
  }

  #forget() {
    this.#pending = [];
    this.#size = 0;
  }
}
