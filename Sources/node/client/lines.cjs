'use strict';

const { Pile } = require('./pile.cjs');

/** Longest line accepted, in bytes. */
const MAX_LINE = 64 * 1024 * 1024;
const NEWLINE = 10;

/** Cuts a byte stream into lines of text; a character is never cut, because no part of one is a newline byte. */
class LineReader {
  #torn;
  #onLine;
  #limit;

  /**
   * @param {(line: string) => void} onLine
   * @param {number} [limit] longest line in bytes
   */
  constructor(onLine, limit = MAX_LINE) {
    this.#onLine = onLine;
    this.#limit = limit;
    this.#torn = new Pile(undefined, limit);
  }

  /**
   * @param {Buffer} chunk
   * @throws when a line is longer than the limit
   */
  push(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#line(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#add(chunk.subarray(start));
    this.#torn.keep();
  }

  #line(end) {
    this.#add(end);
    const { bytes } = this.#torn;
    this.#torn.clear();
    if (bytes.length > 0) this.#onLine(bytes.toString('utf8'));
  }

  #add(piece) {
    if (!this.#torn.append(piece)) throw new Error(`a line is longer than ${this.#limit} bytes`);
  }
}

module.exports = { LineReader, MAX_LINE };
