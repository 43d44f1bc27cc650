/** The connection between pm-worker and the host of its pool: CSources/pm-worker/pool.h describes the frames. */

const HEADER = 5;
/** Longest payload that pm-worker sends, in bytes: its arguments and its environment. */
const LONGEST = 8 << 20;
/** Bytes of output in one frame. */
const OUTPUT = 1 << 16;

/** Frames out of the bytes of a connection. */
export class FrameReader {
  #bytes = Buffer.alloc(0);
  #receive;

  /** @param {(type: string, payload: Buffer) => void} receive */
  constructor(receive) {
    this.#receive = receive;
  }

  /**
   * @param {Buffer} chunk
   * @throws {Error} for a frame that is too long
   */
  push(chunk) {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= HEADER) {
      const size = this.#bytes.readUInt32LE(0);
      if (size > LONGEST) throw new Error(`a frame of ${size} bytes is too long`);
      if (this.#bytes.length < HEADER + size) return;
      const type = String.fromCharCode(this.#bytes[4]);
      const payload = this.#bytes.subarray(HEADER, HEADER + size);
      this.#bytes = this.#bytes.subarray(HEADER + size);
      this.#receive(type, payload);
    }
  }
}

/**
 * @param {string} type
 * @param {Buffer} [payload]
 * @returns {Buffer}
 */
export function frame(type, payload = Buffer.alloc(0)) {
  const bytes = Buffer.allocUnsafe(HEADER + payload.length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes[4] = type.charCodeAt(0);
  payload.copy(bytes, HEADER);
  return bytes;
}

/**
 * Output of a worker.
 * @param {'O' | 'E'} type
 * @param {Buffer | string} output
 * @returns {Buffer[]} one frame or more
 */
export function outputFrames(type, output) {
  const bytes = typeof output === 'string' ? Buffer.from(output) : output;
  const frames = [];
  for (let at = 0; at < bytes.length; at += OUTPUT) frames.push(frame(type, bytes.subarray(at, at + OUTPUT)));
  return frames;
}

/**
 * @typedef {{pid: number, name: string, pipes: [number, number], heapMiB: number, heartbeat: number, program: string, args: string[], env: object}} Order
 *   what pm-worker asks for; `pipes`: its descriptors, -1 for none
 */

/**
 * @param {Buffer} payload of a start frame
 * @returns {Order}
 */
export function parseOrder(payload) {
  const strings = payload.toString().split('\0');
  const [pid, name, writes, reads, heapMiB, heartbeat, count] = strings;
  const first = 7;
  const end = first + Number(count);
  const [program, ...args] = strings.slice(first, end);
  const env = {};
  for (const variable of strings.slice(end)) {
    const at = variable.indexOf('=');
    if (at > 0) env[variable.slice(0, at)] = variable.slice(at + 1);
  }
  return { pid: Number(pid), name, pipes: [Number(writes), Number(reads)], heapMiB: Number(heapMiB), heartbeat: Number(heartbeat), program, args, env };
}
