/**
 * Which connections of strangers stay: how many at once, how many of one address, and for how long one may say nothing.
 *
 * A connection is early until its first message, or the head of its first request, was seen whole. Early connections are what costs a
 * stranger nothing: an address that has too many loses the oldest of its own, so that it keeps out nobody else.
 */
import { ALL_WORK, Budget, CONNECTION_WORK } from './budget.mjs';

/** Connections at once, and those of one address. */
export const MOST_CONNECTIONS = 4096;
export const MOST_OF_SOURCE = 2048;
/** Early connections at once, and those of one address that have said nothing for longer than the grace. */
export const MOST_EARLY = 1024;
export const MOST_EARLY_OF_SOURCE = 64;
/** A client that is about to speak is not taken for a silent one, in milliseconds. */
const GRACE = 1000;
/** How long a connection may be early, in milliseconds: for a handshake of TLS, and for a first message. */
export const EARLY_TIMEOUT = 10_000;

export class Doorkeeper {
  #sources = new Map();
  #guests = new Map();
  #early = 0;
  #timeout;
  #bytes = new Budget();
  #work = new Budget({ connection: CONNECTION_WORK, all: ALL_WORK });

  /** @param {{timeout?: number}} [options] in milliseconds */
  constructor({ timeout = EARLY_TIMEOUT } = {}) {
    this.#timeout = timeout;
  }

  /**
   * Takes a connection as it was accepted.
   * @param {import('node:net').Socket} socket
   * @returns {boolean} false when there are too many: it is closed
   */
  admit(socket) {
    // Its end is told by 'close'; what went wrong with one connection is no matter of the others.
    socket.on('error', () => {});
    const name = socket.remoteAddress ?? 'this machine';
    const source = this.#sources.get(name) ?? { name, count: 0, early: new Set() };
    if (this.#guests.size >= MOST_CONNECTIONS || source.count >= MOST_OF_SOURCE) {
      socket.destroy();
      return false;
    }
    this.#sources.set(name, source);
    const guest = { socket, source, accounts: this.#open(name), since: performance.now(), timer: undefined };
    this.#guests.set(socket, guest);
    source.count++;
    source.early.add(guest);
    this.#early++;
    guest.timer = setTimeout(() => socket.destroy(), this.#timeout).unref();
    socket.once('close', () => this.#leave(guest));
    this.#makeRoom(source);
    return true;
  }

  /**
   * The accounts of a connection: for bytes that came and are no messages yet, and for requests at work.
   * @param {import('node:net').Socket} socket as it was accepted, or the TLS socket over it
   * @returns {{bytes: import('./budget.mjs').Account, work: import('./budget.mjs').Account}}
   */
  accounts(socket) {
    return this.#find(socket)?.accounts ?? this.#open('this machine');
  }

  #open(source) {
    return { bytes: this.#bytes.account(source), work: this.#work.account(source) };
  }

  /**
   * The handshake of TLS is done: the time for the first message begins.
   * @param {import('node:tls').TLSSocket} socket
   */
  secured(socket) {
    this.#find(socket)?.timer.refresh();
  }

  /**
   * The first message was seen whole.
   * @param {import('node:net').Socket} socket as it was accepted, or the TLS socket over it
   */
  settle(socket) {
    const guest = this.#find(socket);
    if (guest !== undefined) this.#end(guest);
  }

  #find(socket) {
    // A TLS socket is made around the socket that was accepted.
    return this.#guests.get(socket) ?? this.#guests.get(socket._parent);
  }

  /** The oldest early connection of the address that has most of them goes first. */
  #makeRoom(source) {
    while (source.early.size > MOST_EARLY_OF_SOURCE && isSilent(source)) this.#drop(source);
    if (this.#early <= MOST_EARLY) return;
    let most = source;
    for (const other of this.#sources.values()) if (other.early.size > most.early.size) most = other;
    this.#drop(most);
  }

  #drop(source) {
    const [oldest] = source.early;
    this.#end(oldest);
    oldest.socket.destroy();
  }

  #end(guest) {
    clearTimeout(guest.timer);
    if (guest.source.early.delete(guest)) this.#early--;
  }

  #leave(guest) {
    this.#end(guest);
    guest.accounts.bytes.close();
    guest.accounts.work.close();
    this.#guests.delete(guest.socket);
    if (--guest.source.count === 0) this.#sources.delete(guest.source.name);
  }
}

function isSilent({ early }) {
  const [oldest] = early;
  return performance.now() - oldest.since > GRACE;
}
