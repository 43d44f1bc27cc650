/** What the workers of a pool ask it for: memory that they share, and ports to each other. */

/** The most memories by name in a pool. */
const MOST_SHARED = 1024;

export class Sharing {
  #members;
  #shared = new Map();

  /** @param {Set<import('./member.mjs').Member>} members */
  constructor(members) {
    this.#members = members;
  }

  /** @param {import('./member.mjs').Member} member who asks */
  receive(member, message) {
    const { id } = message;
    try {
      member.tell({ id, value: this.#answer(member, message) });
    } catch (error) {
      message.port?.close();
      member.tell({ id, error: error.message });
    }
  }

  #answer(member, message) {
    switch (message.kind) {
      case 'shared': return this.#sharedMemory(message);
      case 'connect': return this.#connect(member, message);
      case 'workers': return [...this.#members].filter((other) => other.runs).map((other) => other.name).sort();
      default: throw new Error(`the pool does not know ${message.kind}`);
    }
  }

  #sharedMemory({ name, size }) {
    const present = this.#shared.get(name);
    if (present !== undefined && present.byteLength !== size) {
      throw new Error(`the shared memory ${name} has ${present.byteLength} bytes, not ${size}`);
    }
    if (present !== undefined) return present;
    if (!Number.isSafeInteger(size) || size < 1) throw new Error(`the size of the shared memory ${name} must be a whole number of bytes, not ${size}`);
    if (this.#shared.size >= MOST_SHARED) throw new Error(`a pool has at most ${MOST_SHARED} shared memories`);
    const made = new SharedArrayBuffer(size);
    this.#shared.set(name, made);
    return made;
  }

  #connect(member, { worker, port }) {
    const other = [...this.#members].find((one) => one.name === worker && one.runs);
    if (other === undefined) throw new Error(`no worker ${worker} runs in this pool`);
    other.tell({ kind: 'connection', port, from: member.name }, [port]);
    return true;
  }
}
