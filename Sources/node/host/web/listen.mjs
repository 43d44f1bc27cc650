/**
 * Connection points of a service: unix sockets, TCP, WebSocket and HTTP, each also with TLS. Each connection is a
 * conversation of its own.
 */
import { createServer as createPlainServer } from 'node:net';
import { statSync } from 'node:fs';
import { createServer as createTLSServer } from 'node:tls';
import { Calls } from '../calls.mjs';
import { Channel } from '../channel.mjs';
import { clientsProblem, isClientTaken } from '../gate/certificates.mjs';
import { Doorkeeper, MOST_CONNECTIONS } from '../gate/doorkeeper.mjs';
import { pem, removeStaleSocket } from '../gate/files.mjs';
import { GuestLines } from '../gate/guest-lines.mjs';
import { isLoopback } from '../gate/web-gate.mjs';
import { Peer } from '../peer.mjs';
import { DEFAULT_PORT, errorWithStatus, LONGEST_PATH, refusalText } from '../wire.mjs';

/** How long a connection that is refused may take to read why, in milliseconds. */
const LAST_WORDS = 1000;
/** How long a TLS handshake may take. */
const HANDSHAKE_TIMEOUT = 10_000;

/** The open connection points of a service. */
export class Listeners {
  #servers = [];
  #find;
  #left;
  #connections = new Set();
  #doorkeeper = new Doorkeeper();

  /**
   * Listens at every URL of a map.
   * @param {Record<string, object>} map URL -> options: `{key, cert}` are files or PEM text; with `ca`, clients need a
   *   certificate
   * @param {(method: string) => Function | undefined} find the handler of a method
   * @param {(peer: Peer) => void} [left] called when a connection has ended
   * @throws naming the URL and what is wrong; then nothing is listened at
   */
  static async open(map, find, left = () => {}) {
    const listeners = new Listeners(find, left);
    try {
      for (const place of grouped(map)) await listeners.#listen(place);
    } catch (error) {
      await listeners.close();
      throw error;
    }
    return listeners;
  }

  constructor(find, left) {
    this.#find = find;
    this.#left = left;
  }

  /** Takes no more connections, and closes each when its calls under way are answered. */
  async close() {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    await Promise.all([...this.#connections].map((connection) => connection.finish()));
    await Promise.all(closed);
  }

  async #listen(place) {
    const server = await this.#server(place);
    server.maxConnections = MOST_CONNECTIONS;
    // In front of what begins the handshake, or reads.
    server.prependListener('connection', (socket) => this.#doorkeeper.admit(socket));
    if (place.isSecure) followFiles(server, place);
    const { url } = place;
    try {
      if (place.path !== undefined) await removeStaleSocket(place.path);
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(place.path === undefined ? { host: place.host, port: place.port } : { path: place.path }, resolve);
      });
    } catch (cause) {
      throw Object.assign(new Error(`cannot listen at ${url}: ${cause.message}`, { cause }), { code: cause.code });
    }
    // What goes wrong with one connection is no matter of the others.
    server.on('error', (error) => process.stderr.write(`pm: ${url}: ${error.message}\n`));
    this.#servers.push(server);
    if (isOpenToOthers(place)) {
      process.stderr.write(`pm: ${url} is open to every client that can connect, because it asks for no certificate\n`);
    }
  }

  async #server(place) {
    if (place.kinds.has('lines')) {
      const accept = (socket) => this.#acceptLines(socket, place);
      return place.isSecure
        ? createTLSServer({ ...secureOptions(place), allowHalfOpen: true }, accept)
        : createPlainServer({ allowHalfOpen: true }, accept);
    }
    const { createWebServer } = await import('./web.mjs');
    const door = { keeper: this.#doorkeeper, add: (connection) => this.#add(connection), describe: async () => this.#find('$metadata')() };
    return createWebServer(place, place.isSecure ? secureOptions(place) : undefined, door);
  }

  #acceptLines(socket, { isSecure, options }) {
    if (socket.destroyed) return;
    if (isSecure) this.#doorkeeper.secured(socket);
    if (isSecure && !isClientTaken(socket, options.clients)) return refuse(socket, `${refusalText(undefined, 'this certificate is none of those that may call')}\n`);
    const accounts = this.#doorkeeper.accounts(socket);
    const { peer, calls } = this.#peer(accounts.work);
    const lines = new GuestLines(accounts.bytes, {
      known: () => this.#doorkeeper.settle(socket),
      messages: (list, size) => peer.receiveAll(list, size),
      refuse: (answer) => {
        peer.abandon();
        refuse(socket, answer);
      },
    });
    const channel = new Channel(socket, {
      data: (chunk) => lines.push(chunk),
      closed: () => {
        peer.abandon();
        this.#connections.delete(connection);
      },
    });
    attach({ peer, calls }, channel);
    const finish = () => peer.idle().then(() => channel.close());
    const connection = { finish };
    this.#connections.add(connection);
    // It has asked all it wants to; it may still read.
    socket.on('end', () => {
      lines.end();
      finish();
    });
    socket.on('close', () => {
      this.#connections.delete(connection);
      calls.disconnect();
      this.#left(peer);
    });
  }

  #peer(work) {
    // A string, so that it is no id of the other side: frames of a stream look like answers.
    const calls = new Calls('s');
    return { calls, peer: new Peer(calls, this.#find, work) };
  }

  /** @returns {{peer: Peer, done: () => void}} for a message of an HTTP request, or a WebSocket */
  #add({ channel, work, finish }) {
    const { peer, calls } = this.#peer(work);
    attach({ peer, calls }, channel);
    const connection = { finish: () => peer.idle().then(finish) };
    this.#connections.add(connection);
    return {
      peer,
      done: () => {
        this.#connections.delete(connection);
        peer.abandon();
        calls.disconnect();
        // A request of HTTP is no connection that somebody could call back on.
        if (channel.socket !== undefined) this.#left(peer);
      },
    };
  }
}

/** Messages go both ways. */
function attach({ peer, calls }, channel) {
  peer.attach(channel);
  calls.connect((text) => channel.send(text));
}

/** Places to listen at: HTTP and WebSocket with the same address are one. */
function grouped(map) {
  const places = new Map();
  for (const [url, options] of Object.entries(map)) {
    const place = placeOf(url, options ?? {});
    const key = place.path ?? `${place.host}:${place.port} ${place.isSecure} ${place.kind === 'lines'}`;
    const known = places.get(key) ?? { ...place, kinds: new Set() };
    known.options = { ...place.options, ...known.options };
    known.kinds.add(place.kind);
    places.set(key, known);
  }
  return places.values();
}

function placeOf(url, options) {
  const [, scheme, security, rest] = /^(jsonrpc\+unix|jsonrpc\+tcp|wss?|https?)(\+tls)?:\/\/(.*)$/s.exec(url) ?? [];
  if (scheme === undefined) throw errorWithStatus(400, `cannot listen at ${url}: there is no such transport`);
  const isSecure = security !== undefined || scheme === 'wss' || scheme === 'https';
  if (scheme === 'jsonrpc+unix') return { url, options, isSecure, kind: 'lines', path: socketPath(url, rest) };
  const [, host, port] = /^(\[[^\]]*\]|[^:/]*)(?::(\d+))?(?:\/.*)?$/.exec(rest) ?? [];
  if (host === undefined) throw errorWithStatus(400, `cannot listen at ${url}: there is no host and port in it`);
  const kind = scheme === 'jsonrpc+tcp' ? 'lines' : scheme.startsWith('ws') ? 'ws' : 'http';
  const fallback = kind === 'lines' ? DEFAULT_PORT : isSecure ? 443 : 80;
  const name = host.replace(/^\[(.*)\]$/, '$1').replace(/^\*$/, '0.0.0.0') || '127.0.0.1';
  return { url, options, isSecure, kind, host: name, port: Number(port ?? fallback) };
}

function socketPath(url, text) {
  const path = decodeURIComponent(text);
  const { length } = Buffer.from(path);
  if (length <= LONGEST_PATH) return path;
  throw errorWithStatus(400, `cannot listen at ${url}: its path has ${length} bytes, and at most ${LONGEST_PATH} fit`);
}

function secureOptions({ url, options }) {
  if (options.key === undefined || options.cert === undefined) {
    throw errorWithStatus(400, `cannot listen at ${url}: TLS needs the options "key" and "cert"`);
  }
  const problem = clientsProblem(options.clients) ?? (options.ca === undefined && (options.clients ?? options.crl) !== undefined ? '"clients" and "crl" need "ca"' : undefined);
  if (problem !== undefined) throw errorWithStatus(400, `cannot listen at ${url}: ${problem}`);
  const clients = options.ca === undefined ? {} : { ca: pem(options.ca, { url }), requestCert: true, rejectUnauthorized: true };
  if (options.crl !== undefined) clients.crl = pem(options.crl, { url });
  return {
    key: pem(options.key, { url, isSecret: true }), cert: pem(options.cert, { url }), ...clients,
    minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT,
  };
}

function refuse(socket, answer) {
  // What it goes on sending is read and thrown away for a moment, so that the answer is not lost with a reset.
  socket.removeAllListeners('data');
  socket.on('data', () => {}).resume();
  socket.end(answer);
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS);
  socket.once('close', () => clearTimeout(timer));
}

/** Connections that come after a file was replaced get what is in it; while that makes no sense, what was there before. */
function followFiles(server, place) {
  let seen = versions(place.options);
  // In front of what begins the handshake.
  server.prependListener('connection', () => {
    const now = versions(place.options);
    if (now === seen) return;
    seen = now;
    try {
      server.setSecureContext(secureOptions(place));
    } catch (error) {
      process.stderr.write(`pm: ${place.url} keeps its certificate: ${error.message}\n`);
    }
  });
}

/** Tells one state of the files from another. */
function versions({ key, cert, ca, crl }) {
  return [key, cert, ca, crl].map((value) => {
    if (value === undefined || String(value).includes('-----BEGIN')) return '';
    const { ino, size, mtimeMs } = statSync(value, { throwIfNoEntry: false }) ?? {};
    return `${ino} ${size} ${mtimeMs}`;
  }).join();
}

function isOpenToOthers({ host, path, options }) {
  if (path !== undefined || options.ca !== undefined) return false;
  return !isLoopback(host);
}
