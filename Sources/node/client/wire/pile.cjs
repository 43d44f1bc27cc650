'use strict';

const NOTHING = Buffer.alloc(0);

/**
 * Bytes that have come and are not used up, in one buffer that doubles: in how many pieces they came costs nothing. A
 * piece that comes when nothing waits can be looked at where it is.
 */
class Pile {
  #bytes = NOTHING;
  #start = 0;
  #end = 0;
  /** Bytes of the buffer that is this pile's own; 0 while it looks at somebody else's. */
  #owned = 0;
  #account;
  #most;

  /**
   * @param {{hold: (bytes: number) => boolean, release: (bytes: number) => void}} [account] what the peer may make this process hold
   * @param {number} [most] bytes that may wait; the buffer does not grow beyond
   */
  constructor(account, most = Infinity) {
    this.#account = account;
    this.#most = most;
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
   * Adds bytes, which must not change until `keep` or `clear`. They are not counted while they are looked at where they are.
   * @param {Buffer} chunk
   * @returns {boolean} false when that would be more than `most`, or than the account allows; then nothing changed
   */
  append(chunk) {
    if (this.size > 0 || chunk.length > this.#most) return this.appendCopy(chunk);
    this.clear();
    [this.#bytes, this.#start, this.#end] = [chunk, 0, chunk.length];
    return true;
  }

  /**
   * Adds bytes, which may change afterwards.
   * @param {Buffer} chunk
   * @returns {boolean} as `append`
   */
  appendCopy(chunk) {
    if (!this.#makeRoom(this.size + chunk.length)) return false;
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
    return true;
  }

  /**
   * Copies what is looked at where it is: the piece that it is a part of is no longer held.
   * @returns {boolean} as `append`
   */
  keep() {
    return this.size === 0 || this.#owned > 0 || this.#makeRoom(this.size);
  }

  #makeRoom(needed) {
    if (this.#owned - this.#start >= needed) return true;
    if (needed > this.#most) return false;
    // What is used up makes room first.
    const length = needed <= this.#owned / 2 ? this.#owned : Math.min(this.#most, Math.max(needed, 2 * this.#owned, 1024));
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
    [this.#bytes, this.#start, this.#end, this.#owned] = [NOTHING, 0, 0, 0];
  }
}

module.exports = { Pile };
