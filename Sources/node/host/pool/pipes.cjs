'use strict';
/** The channel of a worker: two pipes, which look like one socket to channel.mjs. */
const { EventEmitter } = require('events');
const { Socket } = require('net');

class PipePair extends EventEmitter {
  #reading;
  #writing;
  #ended = 0;

  /**
   * @param {number} readFd owned from now on
   * @param {number} writeFd likewise
   */
  constructor(readFd, writeFd) {
    super();
    this.#reading = new Socket({ fd: readFd, readable: true, writable: false });
    this.#writing = new Socket({ fd: writeFd, readable: false, writable: true });
    this.#reading.on('data', (chunk) => this.emit('data', chunk));
    this.#writing.on('drain', () => this.emit('drain'));
    for (const half of [this.#reading, this.#writing]) {
      half.on('error', (error) => this.emit('error', error));
      half.on('close', () => this.#closed());
    }
  }

  get destroyed() {
    return this.#writing.destroyed;
  }

  get writableNeedDrain() {
    return this.#writing.writableNeedDrain;
  }

  get writableLength() {
    return this.#writing.writableLength;
  }

  write(text) {
    return this.#writing.write(text);
  }

  pause() {
    this.#reading.pause();
  }

  resume() {
    this.#reading.resume();
  }

  end() {
    this.#writing.end();
  }

  /** What was written still leaves; nothing more is read. */
  destroySoon() {
    this.#reading.destroy();
    this.#writing.destroySoon();
  }

  /** The other end is gone. */
  destroy() {
    this.#reading.destroy();
    this.#writing.destroy();
  }

  #closed() {
    // The end of one half is the end of the channel.
    this.#reading.destroy();
    this.#writing.destroySoon();
    this.#ended += 1;
    if (this.#ended === 2) this.emit('close');
  }
}

module.exports = { PipePair };
