/**
 * The unix socket between this process and the daemon: lines in, lines out.
 *
 * Lines written during one turn of the event loop leave in one write. When the other side does not read, the channel
 * stops reading too, so requests wait in the kernel instead of piling up answers here.
 */
import { Socket } from 'node:net';
import { HIGH_WATER, LineSplitter } from './wire.mjs';

const READ_BUFFER = 64 * 1024;

export class Channel {
  #socket;
  #queue = '';
  #scheduled = false;
  #waiting = [];
  #open = true;

  /**
   * @param {number | Socket} source descriptor of a connected stream socket, or one that is open already
   * @param {{line?: (text: string) => void, tooLong?: (head: string) => void, data?: (chunk: Buffer) => void, closed: () => void}} handlers `tooLong` takes the beginning of a
   *   line that is too long; `data` takes what is read instead of both; `closed` is called once, when the peer has gone; it is not called after `close()`
   */
  constructor(source, { line, tooLong, data, closed }) {
    const splitter = new LineSplitter(line, { onTooLong: tooLong });
    this.#socket = typeof source === 'number' ? opened(source, splitter) : source;
    if (typeof source !== 'number') source.on('data', data ?? ((chunk) => splitter.push(chunk)));
    this.#socket.on('drain', () => this.#drained());
    // EPIPE and ECONNRESET say what 'close' says: the peer has gone.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#ended(closed));
  }

  /**
   * Queues one message, a line; it leaves at the end of this turn. Does nothing once closed.
   * @param {string} text
   */
  send(text) {
    if (!this.#open) return;
    this.#queue += `${text}\n`;
    if (this.#queue.length > HIGH_WATER) return this.#flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.#flush());
  }

  /**
   * Whether the peer is slow to read, or is just going; wait for `drained()` before sending more than answers. Who sent on
   * to one that is going would never give the turn in which it is gone.
   */
  get congested() {
    return this.#socket.destroyed || this.#socket.writableNeedDrain || this.#socket.writableLength > HIGH_WATER;
  }

  /** What the lines come and go over. */
  get socket() {
    return this.#socket;
  }

  /** Whether nothing can be sent any more. */
  get closed() {
    return !this.#open;
  }

  /** Resolves when the peer has read what was written, or has gone. */
  drained() {
    if (!this.#open) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Writes what is queued, then closes: nothing here keeps the process alive any longer. */
  close() {
    this.#flush();
    this.#open = false;
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #flush() {
    this.#scheduled = false;
    if (this.#queue === '' || !this.#open) return;
    const text = this.#queue;
    this.#queue = '';
    this.#socket.write(text);
    if (this.#socket.writableLength > HIGH_WATER) this.#socket.pause();
  }

  #drained() {
    if (this.#open) this.#socket.resume();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #ended(closed) {
    const byPeer = this.#open;
    this.#open = false;
    this.#drained();
    if (byPeer) closed();
  }
}

/** One buffer for all that is read. */
function opened(fd, splitter) {
  const callback = (length, buffer) => {
    splitter.push(buffer.subarray(0, length));
    return true;
  };
  return new Socket({ fd, onread: { buffer: Buffer.allocUnsafeSlow(READ_BUFFER), callback } });
}
