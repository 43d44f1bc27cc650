/**
 * What strangers may make this process hold. One connection has a bound, all of one address have half of what all have together, and nobody
 * more. There are two budgets: bytes that came and are no messages yet, and requests that are not answered yet.
 */

/** Unfinished lines, messages and bodies, in bytes: of one connection, and of all. */
export const CONNECTION_MEMORY = 16 * 1024 * 1024;
export const ALL_MEMORY = 64 * 1024 * 1024;
/**
 * Requests at work, and pieces of streams that nobody has read, as they are in memory: one of the longest kind takes up to 120 MB.
 */
export const CONNECTION_WORK = 128 * 1024 * 1024;
export const ALL_WORK = 256 * 1024 * 1024;
/** So much of each connection is not counted: what a socket would hold as well. */
export const FREE = 16 * 1024;

export class Budget {
  #held = 0;
  #sources = new Map();
  #limits;

  /** @param {{connection?: number, all?: number}} [limits] in bytes */
  constructor({ connection = CONNECTION_MEMORY, all = ALL_MEMORY } = {}) {
    this.#limits = { connection, all };
  }

  /** What is held now, in bytes. */
  get held() {
    return this.#held;
  }

  /**
   * The account of one connection.
   * @param {string} source its address
   */
  account(source) {
    return new Account(this, source, this.#limits.connection);
  }

  /** @returns {boolean} false when it is too much; then nothing changed */
  change(source, bytes) {
    const own = this.#sources.get(source) ?? 0;
    if (bytes > 0 && (this.#held + bytes > this.#limits.all || own + bytes > this.#limits.all / 2)) return false;
    this.#held += bytes;
    if (own + bytes > 0) this.#sources.set(source, own + bytes);
    else this.#sources.delete(source);
    return true;
  }
}

/** The account of one connection; its end gives everything back. */
export class Account {
  #budget;
  #source;
  #limit;
  #held = 0;
  #isClosed = false;

  constructor(budget, source, limit) {
    this.#budget = budget;
    this.#source = source;
    this.#limit = limit;
  }

  /**
   * @param {number} bytes
   * @returns {boolean} false when it is too much; then nothing changed
   */
  hold(bytes) {
    if (this.#isClosed || this.#held + bytes > this.#limit) return false;
    if (!this.#budget.change(this.#source, counted(this.#held + bytes) - counted(this.#held))) return false;
    this.#held += bytes;
    return true;
  }

  /** @param {number} bytes that were held */
  release(bytes) {
    if (this.#isClosed) return;
    this.#budget.change(this.#source, counted(this.#held - bytes) - counted(this.#held));
    this.#held -= bytes;
  }

  /** Gives back all that is held, for good. */
  close() {
    if (this.#isClosed) return;
    this.release(this.#held);
    this.#isClosed = true;
  }
}

function counted(bytes) {
  return Math.max(0, bytes - FREE);
}
