'use strict';

/**
 * Bytes that have come and are not used up, in one buffer that doubles: in how many pieces they came costs nothing. A
 * piece that comes when nothing waits is looked at where it is.
 */
class Pile {
  #bytes = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Bytes of the buffer that is this pile's own; 0 while it looks at somebody else's. */
  #owned = 0;
  #account;

  /** @param {{hold: (bytes: number) => boolean, release: (bytes: number) => void}} [account] what the peer may make this process hold */
  constructor(account) {
    this.#account = account;
  }

  /** How many bytes wait. */
  get size() {
    return this.#end - this.#start;
  }

  /** The bytes that wait: good until the next `append`. */
  get bytes() {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /**
   * Adds bytes, which must not change afterwards.
   * @param {Buffer} chunk
   * @returns {boolean} false when that would be more than the account allows; then nothing changed
   */
  append(chunk) {
    if (this.size === 0) {
      this.clear();
      [this.#bytes, this.#start, this.#end] = [chunk, 0, chunk.length];
      return true;
    }
    return this.#copy(chunk);
  }

  /**
   * The same, of bytes that may change.
   * @param {Buffer} chunk
   */
  appendCopy(chunk) {
    return this.#copy(chunk);
  }

  #copy(chunk) {
    if (!this.#makeRoom(this.size + chunk.length)) return false;
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
    return true;
  }

  #makeRoom(needed) {
    if (this.#owned - this.#start >= needed) return true;
    // What is used up makes room first.
    const length = needed <= this.#owned / 2 ? this.#owned : Math.max(needed, 2 * this.#owned, 1024);
    if (this.#account?.hold(length - this.#owned) === false) return false;
    const grown = Buffer.allocUnsafeSlow(length);
    const size = this.bytes.copy(grown);
    [this.#bytes, this.#start, this.#end, this.#owned] = [grown, 0, size, length];
    return true;
  }

  /** @param {number} count bytes from the front that are used up */
  drop(count) {
    this.#start += count;
    if (this.size === 0) this.clear();
  }

  /** Forgets all, and gives back what was held. */
  clear() {
    if (this.#owned > 0) this.#account?.release(this.#owned);
    [this.#bytes, this.#start, this.#end, this.#owned] = [Buffer.alloc(0), 0, 0, 0];
  }
}

module.exports = { Pile };
