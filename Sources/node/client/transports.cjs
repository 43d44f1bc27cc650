'use strict';

/** Ways to carry messages: unix sockets and TCP, plain or with TLS, WebSocket, HTTP. */
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');
const { randomBytes } = require('node:crypto');
const { errorWithStatus } = require('./wire/errors.cjs');
const { DEFAULT_PORT, HIGH_WATER, LONGEST_PATH } = require('./wire/limits.cjs');
const { LineSplitter } = require('./wire/lines.cjs');
const { tlsOptions } = require('./tls.cjs');
const { requireTrust } = require('./wire/trust.cjs');
const { acceptKey, WebSocketConnection } = require('./wire/websocket.cjs');

/** The order of preference. */
const defaultOrders = [
  'jsonrpc+unix+tls', 'jsonrpc+unix', 'jsonrpc+tcp+tls', 'jsonrpc+tcp', 'wss', 'ws', 'https', 'http',
];

/**
 * Opens a connection.
 * @param {string} url
 * @param {object} options of its entry in a connection map: `cert`, `ca`, `key`, `path` …
 * @param {import('./rpc.cjs').Rpc} rpc gets the messages
 * @param {{signal?: AbortSignal, server?: import('./wire/trust.cjs').Server}} [how] `signal` gives up connecting; `server`: a unix socket there must be
 *   served by these users (trust.cjs)
 * @returns {Promise<import('./rpc.cjs').Transport>}
 */
async function openTransport(url, options, rpc, { signal, server } = {}) {
  const target = parse(url);
  // With TLS it is the certificate that says whose socket it is.
  if (server !== undefined && target.host === undefined && !target.isSecure) requireTrust(target.path, server);
  if (target.kind === 'http') return openHttp(target, options, rpc);
  const socket = await openSocket(target, options, signal);
  if (target.kind === 'ws') return openWebSocket(target, socket, rpc, signal);
  return lineTransport(socket, rpc);
}

/** What a URL says. `scheme` is one of the orders. */
function parse(url) {
  const [, scheme, rest] = /^([a-z+]+):\/\/(.*)$/s.exec(url) ?? [];
  if (!defaultOrders.includes(scheme)) throw errorWithStatus(400, `there is no transport for ${url}`);
  const isSecure = scheme.endsWith('+tls') || scheme === 'wss' || scheme === 'https';
  if (scheme.startsWith('jsonrpc+unix')) return { kind: 'lines', url, isSecure, path: socketPath(rest) };
  const parsed = new URL(url.replace(/^jsonrpc\+tcp(\+tls)?:/, 'http:'));
  const kind = scheme.startsWith('jsonrpc') ? 'lines' : scheme.startsWith('ws') ? 'ws' : 'http';
  const port = parsed.port || (kind === 'lines' ? DEFAULT_PORT : isSecure ? 443 : 80);
  // An address to listen at everywhere is none to connect to.
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1').replace(/^(0\.0\.0\.0|::|\*)$/, 'localhost');
  return { kind, url, isSecure, host, port: Number(writtenPort(url) ?? port), path: parsed.pathname + parsed.search };
}

/** Node cuts a path that is too long, or fails without saying which. */
function socketPath(text) {
  const path = decodeURIComponent(text);
  const { length } = Buffer.from(path);
  if (length > LONGEST_PATH) {
    throw errorWithStatus(400, `the path of the socket has ${length} bytes, and at most ${LONGEST_PATH} fit: ${path}`, { code: 'ENAMETOOLONG' });
  }
  return path;
}

/** `new URL` drops the default port of its scheme, which is no default here. */
function writtenPort(url) {
  return /^[a-z+]+:\/\/[^/]*:(\d+)(?:\/|$)/.exec(url)?.[1];
}

// MARK: sockets

function openSocket(target, options, signal) {
  const place = target.host === undefined ? { path: target.path } : { host: target.host, port: target.port };
  return new Promise((resolve, reject) => {
    // One that was aborted before says nothing any more.
    signal?.throwIfAborted();
    const socket = target.isSecure ? tls.connect({ ...place, ...tlsOptions(options, target.host) }) : net.connect(place);
    const give = (error) => {
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      reject(Object.assign(error, { url: target.url }));
    };
    const abort = () => give(signal.reason);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('error', give);
    socket.once(target.isSecure ? 'secureConnect' : 'connect', () => {
      signal?.removeEventListener('abort', abort);
      socket.removeListener('error', give);
      if (target.host !== undefined) socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** One message a line. */
function lineTransport(socket, rpc) {
  const lines = new LineSplitter((line) => rpc.receive(line), { onTooLong: (head) => rpc.receiveTooLong(head) });
  let failure;
  socket.on('error', (error) => (failure = error));
  socket.on('close', () => rpc.closed(failure));
  socket.on('data', (chunk) => lines.push(chunk));
  return {
    ...socketTransport(socket),
    send: (text) => socket.write(`${text}\n`),
    close: () => socket.end(() => socket.destroy()),
  };
}

function socketTransport(socket) {
  return {
    room: () => (socket.writableLength < HIGH_WATER ? undefined : drained(socket)),
    setBusy: (isBusy) => (isBusy ? socket.ref() : socket.unref()),
  };
}

function drained(socket) {
  return new Promise((resolve) => {
    const done = () => {
      socket.removeListener('drain', done);
      socket.removeListener('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

// MARK: WebSocket

async function openWebSocket(target, socket, rpc, signal) {
  const key = randomBytes(16).toString('base64');
  const request = http.request({
    createConnection: () => socket, host: target.host, port: target.port, path: target.path, signal,
    headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': key },
  });
  const head = await upgraded(request, key, target.url).catch((error) => {
    socket.destroy();
    throw error;
  });
  const connection = new WebSocketConnection(socket, { isServer: false, head }, {
    message: (text) => rpc.receive(text),
    closed: (cause) => rpc.closed(cause),
  });
  return { ...socketTransport(socket), send: (text) => connection.send(text), close: () => connection.close() };
}

function upgraded(request, key, url) {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      reject(errorWithStatus(502, `${url} answered with status ${response.statusCode}, and not with a WebSocket`));
    });
    request.once('upgrade', ({ headers }, socket, head) => {
      const [extension, protocol] = [headers['sec-websocket-extensions'], headers['sec-websocket-protocol']];
      if (headers['sec-websocket-accept'] !== acceptKey(key)) reject(errorWithStatus(502, `${url} answered with another WebSocket's key`));
      else if (extension ?? protocol) reject(errorWithStatus(502, `${url} wants ${extension ?? protocol}, which was not asked for`));
      else resolve(head);
    });
    request.end();
  });
}

// MARK: HTTP

/** Each call is a request of its own: `POST /rpc`, answered by one message or, for a stream, by one message a line. */
function openHttp(target, options, rpc) {
  const { request: send, Agent } = target.isSecure ? https : http;
  // Read again after a failure: the certificate of the map may be another by now.
  let secure;
  const agent = new Agent({ keepAlive: true });
  const path = options.path ?? (target.path === '/' ? '/rpc' : target.path);
  const running = new Map();
  const post = (text) => {
    const { id, method, params, stream } = JSON.parse(text);
    if (method === '$/cancel') return running.get(params[0])?.destroy();
    if (method?.startsWith('$/')) return undefined;
    // For a call that is answered or cancelled already this says nothing.
    const fail = (error) => {
      running.delete(id);
      secure = undefined;
      if (id !== undefined) rpc.receive(JSON.stringify({ id, error: described(error, method) }));
    };
    if (stream || method === undefined) return fail(errorWithStatus(400, 'HTTP cannot carry a stream as a parameter'));
    if (target.isSecure) secure ??= tlsOptions(options, target.host);
    const request = send({
      ...secure, host: target.host, port: target.port, path, method: 'POST', agent,
      headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
    });
    if (id !== undefined) running.set(id, request);
    request.on('error', fail);
    request.on('response', (response) => readAnswers(response, rpc, fail));
    request.end(text);
    return undefined;
  };
  return {
    send: post,
    room: () => undefined,
    setBusy: () => {},
    close: () => agent.destroy(),
  };
}

function described(error, method) {
  const { message, code, statusCode = 503 } = error;
  return { statusCode, message: `${method}: ${message}`, code, retry: statusCode === 503, stack: String(error.stack) };
}

/** `done` gets why there is no answer, should there be none when all is read: so a call never waits for ever. */
function readAnswers(response, rpc, done) {
  const { statusCode } = response;
  const type = response.headers['content-type'] ?? '';
  if (!type.startsWith('application/json') && !type.startsWith('application/x-ndjson')) {
    response.resume();
    return done(errorWithStatus(502, `the answer has status ${statusCode} and is not JSON-RPC`));
  }
  const lines = new LineSplitter((line) => rpc.receive(line), { onTooLong: (head) => rpc.receiveTooLong(head) });
  response.on('data', (chunk) => lines.push(chunk));
  response.on('error', done);
  // The last message of an answer need not end with a newline.
  response.on('end', () => {
    lines.end();
    done(errorWithStatus(statusCode < 400 ? 502 : statusCode, `the response ended with status ${statusCode} and without an answer`));
  });
  return undefined;
}

module.exports = { defaultOrders, openTransport };
