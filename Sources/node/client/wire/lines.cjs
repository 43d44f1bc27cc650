'use strict';

/**
 * Cuts a byte stream into lines of text.
 *
 * All the lines in one read are decoded at once: UTF-8 never has a newline byte inside a character, so no character is
 * cut, whatever the sizes of the reads.
 */
const { MAX_LINE } = require('./limits.cjs');
const { Pile } = require('./pile.cjs');

const NEWLINE = 10;
/** So much of a line that is too long is kept, to tell whose it was. */
const HEAD = 4096;

class LineSplitter {
  #onLine;
  #onTooLong;
  #limit;
  #torn;
  #isSkipping = false;

  /**
   * @param {(line: string) => void} onLine called with each line that is not empty, without its end
   * @param {{limit?: number, onTooLong?: (head: string) => void}} [options] `limit`: longest line in bytes (a line that comes in one read
   *   is never too long); `onTooLong` gets the beginning of a line as soon as it is too long; the rest of that line is dropped
   */
  constructor(onLine, { limit = MAX_LINE, onTooLong = () => {} } = {}) {
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
    this.#limit = limit;
    this.#torn = new Pile(undefined, limit);
  }

  /**
   * Takes the next bytes.
   * @param {Buffer} chunk may be used again by the caller afterwards
   */
  push(chunk) {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) return this.#keep(chunk);
    const start = this.#isSkipping || this.#torn.size > 0 ? this.#finish(chunk) : 0;
    if (start < last) this.#tell(chunk.utf8Slice(start, last));
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    return undefined;
  }

  /** The other side sends no more: what has come of a line is the last one. */
  end() {
    if (this.#torn.size > 0) this.#finish(Buffer.of(NEWLINE));
  }

  #tell(text) {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#line(text.slice(start, end));
      start = end + 1;
    }
    this.#line(start === 0 ? text : text.slice(start));
  }

  #line(text) {
    if (text !== '' && text !== '\r') this.#onLine(text);
  }

  #keep(piece) {
    if (this.#isSkipping) return;
    if (this.#torn.append(piece)) this.#torn.keep();
    else this.#skip(piece);
  }

  /** @returns {number} where the next line begins */
  #finish(chunk) {
    const end = chunk.indexOf(NEWLINE);
    if (!this.#isSkipping && this.#torn.append(chunk.subarray(0, end))) {
      const { bytes } = this.#torn;
      const text = bytes.utf8Slice(0, bytes.length);
      this.#torn.clear();
      this.#line(text);
    } else if (!this.#isSkipping) {
      this.#skip(chunk.subarray(0, end));
    }
    this.#isSkipping = false;
    return end + 1;
  }

  #skip(piece) {
    const head = Buffer.concat([this.#torn.bytes.subarray(0, HEAD), piece.subarray(0, HEAD)]);
    this.#torn.clear();
    this.#isSkipping = true;
    this.#onTooLong(head.utf8Slice(0, Math.min(head.length, HEAD)));
  }
}

module.exports = { LineSplitter };
