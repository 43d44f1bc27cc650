/** HTTP (`POST /rpc`) and WebSocket for a service's connection points. */
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import websocket from '../client/websocket.cjs';
import { errorLine, refusalLine } from './replies.mjs';
import { RpcError } from './errors.mjs';

/** Longest body of a request, in bytes. */
const MAX_BODY = 64 * 1024 * 1024;
/** Bytes waiting to be sent above which a stream is not read on. */
const HIGH_WATER = 1024 * 1024;
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 5_000, maxHeaderSize: 16384 };

/**
 * A server for one address.
 * @param {{kinds: Set<string>}} place `http`, `ws` or both
 * @param {object | undefined} secure options of TLS
 * @param {(connection: object) => {peer: import('./peer.mjs').Peer, done: () => void}} add begins a conversation
 */
export function createWebServer({ kinds }, secure, add) {
  const take = (request, response) => (kinds.has('http') ? handle(request, response, add) : refuse(response, 426));
  const server = secure ? createSecureServer({ ...secure, ...TIMEOUTS }, take) : createServer(TIMEOUTS, take);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (!kinds.has('ws') || !isSameOrigin(request)) return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    if (websocket.acceptUpgrade(request, socket)) openSocket(socket, head, add);
    return undefined;
  });
  const close = server.close.bind(server);
  server.close = (done) => {
    close(done);
    server.closeIdleConnections?.();
  };
  return server;
}

/** A page of another site must not reach a service through its reader's browser. */
function isSameOrigin({ headers }) {
  if (headers.origin === undefined) return true;
  try {
    return new URL(headers.origin).host === headers.host;
  } catch {
    return false;
  }
}

// MARK: WebSocket

function openSocket(socket, head, add) {
  const channel = {
    closed: false,
    send: (line) => connection.send(line.slice(0, -1)),
    get congested() {
      return connection.backlog > HIGH_WATER;
    },
    drained: () => drained(socket),
  };
  const { peer, done } = add({ channel, finish: () => connection.close(1001, 'the service stops') });
  const connection = new websocket.WebSocketConnection(socket, { isServer: true }, {
    message: (text) => peer.receive(text),
    closed: () => {
      channel.closed = true;
      done();
    },
  });
  if (head.length > 0) socket.unshift(head);
}

function drained(stream) {
  return new Promise((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

// MARK: HTTP

async function handle(request, response, add) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (!isSameOrigin(request)) return refuse(response, 403);
  if (pathname === '/$metadata' && request.method === 'GET') return metadata(response, add);
  if (pathname !== '/rpc') return refuse(response, 404);
  if (request.method !== 'POST') return refuse(response, 405, { Allow: 'POST' });
  // Other types may be sent by a page of another site without asking.
  if (!/^application\/json(;|$)/i.test(request.headers['content-type'] ?? '')) return refuse(response, 415);
  const text = await body(request).catch(() => undefined);
  if (text === undefined) return refuse(response, 413, { Connection: 'close' });
  return answer(text, response, add);
}

function refuse(response, status, headers = {}) {
  response.writeHead(status, { 'Content-Length': 0, ...headers }).end();
}

async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error('too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function answer(text, response, add) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    return end(response, 400, errorLine(-1, new RpcError('parseError', error.message)));
  }
  if (message === null || typeof message !== 'object') return end(response, 400, refusalLine(undefined, 'a message is an object'));
  if (message.stream) return end(response, 400, refusalLine(message.id, 'a stream as parameter cannot go over HTTP'));
  const channel = new ResponseChannel(response, Array.isArray(message));
  const { peer, done } = add({ channel, finish: () => {} });
  response.on('close', done);
  // One line, whatever line ends the caller wrote.
  peer.receive(JSON.stringify(message));
  await peer.idle();
  channel.finish();
  return undefined;
}

/** What the service offers, as clients of the reference ask for it. */
async function metadata(response, add) {
  const lines = [];
  const { peer, done } = add({ channel: { send: (line) => lines.push(line) }, finish: () => {} });
  peer.receive('{"jsonrpc":"2.0","id":0,"method":"$metadata"}');
  await peer.idle();
  done();
  end(response, 200, `${JSON.stringify(JSON.parse(lines[0]).result)}\n`);
}

function end(response, status, line) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(line) }).end(line);
}

/** One message is the body; a batch is answered by a list, a stream by one message a line. */
class ResponseChannel {
  #response;
  #lines = [];
  #isBatch;
  #isStream = false;

  constructor(response, isBatch) {
    this.#response = response;
    this.#isBatch = isBatch;
  }

  get closed() {
    return this.#response.destroyed;
  }

  get congested() {
    return this.#response.writableNeedDrain;
  }

  drained() {
    return drained(this.#response);
  }

  send(line) {
    if (!this.#isStream && !this.#isBatch && line.includes('"stream":true') && JSON.parse(line).stream) this.#beginStream();
    if (this.#isStream) this.#response.write(line);
    else this.#lines.push(line);
  }

  finish() {
    if (this.#isStream) this.#response.end();
    else if (this.#isBatch) end(this.#response, 200, `[${this.#lines.map((line) => line.trim()).join(',')}]\n`);
    else if (this.#lines.length === 0) this.#response.writeHead(204).end();
    else end(this.#response, 200, this.#lines[0]);
  }

  #beginStream() {
    this.#isStream = true;
    this.#response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  }
}
