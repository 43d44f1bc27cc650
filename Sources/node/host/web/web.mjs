/** HTTP (`POST /rpc`) and WebSocket for a service's connection points. */
import { createServer, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { isClientTaken } from '../gate/certificates.mjs';
import { messagesOf } from '../gate/messages.mjs';
import { answerTo } from '../gate/stranger.mjs';
import { requestID } from '../gate/fields.mjs';
import { callProblem, MAX_BODY, METHODS, notAllowed, OWN_PATHS, WebGate } from '../gate/web-gate.mjs';
import { answerOptions, body, drained, refuse, refused, tooMuch } from './http.mjs';
import { allowedMethods, matchRoute, serveRoute } from './routes.mjs';
import { warn } from '../gate/log.mjs';
import { beginningOf, HIGH_WATER, MAX_LINE, refusalText, RpcError, websocket } from '../wire.mjs';

/** What a request over HTTP takes in memory before it is answered, about, in bytes. */
const REQUEST = 8 * 1024;
const OPTIONS = {
  headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 5_000, maxHeaderSize: 32 * 1024,
  // The gate says more clearly what is wrong.
  requireHostHeader: false,
};

/**
 * A server for one address.
 * @param {{kinds: Set<string>, host: string, isSecure: boolean, options: object}} place `kinds`: `http`, `ws` or both
 * @param {object | undefined} secure options of TLS
 * @param {{keeper: import('../gate/doorkeeper.mjs').Doorkeeper, add: Function, describe: () => Promise<object>}} door `add` begins a
 *   conversation: `{peer, done}`; `describe` gives the metadata for strangers
 */
export function createWebServer(place, secure, door) {
  const site = { ...place, ...door, gate: new WebGate(place) };
  const serve = (request, response) => {
    handle(request, response, site).catch((error) => failed(response, error));
  };
  const server = secure ? createSecureServer({ ...secure, ...OPTIONS }, serve) : createServer(OPTIONS, serve);
  // Node drops the ones beyond without a word: the gate counts them.
  server.maxHeadersCount = 0;
  server.on('secureConnection', (socket) => door.keeper.secured(socket));
  server.on('upgrade', (request, socket, head) => upgrade(request, socket, head, site));
  server.on('connect', (request, socket) => endWith(socket, 400, { message: 'this place does not support CONNECT' }));
  server.on('clientError', (error, socket) => brokenOff(error, socket));
  const close = server.close.bind(server);
  server.close = (done) => {
    close(done);
    server.closeIdleConnections?.();
  };
  return server;
}

/** What the parser refuses: answered in the words of whoever speaks. */
function brokenOff(error, socket) {
  socket.on('error', () => {});
  if (!socket.writable || refused.has(socket)) return socket.destroySoon();
  const { rawPacket, code } = error;
  if (rawPacket?.[0] === 0x16 && rawPacket[1] === 3) return socket.end(answerTo('tls'));
  const [status, message] = code === 'HPE_HEADER_OVERFLOW' ? [431, 'the head of the request is too long']
    : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? [408, 'the request did not come in time'] : [400, 'the request is not well-formed HTTP/1.1'];
  return endWith(socket, status, { message });
}

/** The last that is said on a connection. */
function endWith(socket, status, { message, hint, headers = {} }) {
  socket.on('error', () => {});
  const body = JSON.stringify({ statusCode: status, message, hint });
  const fields = Object.entries({ ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), Connection: 'close' });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** The head of a request, as the gate wants to see it. */
function headOf({ method, url, httpVersion, rawHeaders }) {
  const fields = [];
  for (let index = 0; index < rawHeaders.length; index += 2) fields.push([rawHeaders[index], rawHeaders[index + 1]]);
  return { method, target: url, version: httpVersion, fields };
}

/** @returns {{path: string} | {refusal: import('../gate/web-gate.mjs').Refusal}} */
function checked(head, socket, { gate, isSecure, options }) {
  if (isSecure && !isClientTaken(socket, options.clients)) {
    return { refusal: { status: 403, message: 'this certificate is none of those that may call' } };
  }
  return gate.check(head);
}

// MARK: WebSocket

function upgrade(request, socket, head, site) {
  socket.on('error', () => {});
  const { refusal } = checked(headOf(request), socket, site);
  if (refusal !== undefined) return endWith(socket, refusal.status, refusal);
  if (!site.kinds.has('ws')) return endWith(socket, 400, { message: 'this place speaks no other protocol than HTTP/1.1', hint: 'send the request without Upgrade' });
  if (!websocket().acceptUpgrade(request, socket)) return undefined;
  site.keeper.settle(socket);
  return openSocket(socket, head, site);
}

function openSocket(socket, head, { add, keeper }) {
  const { bytes, work } = keeper.accounts(socket);
  const channel = {
    socket,
    closed: false,
    // Clients of the reference wait for the end of the line, which is white space to all others.
    send: (text) => connection.send(`${text}\n`),
    get congested() {
      return socket.destroyed || connection.backlog > HIGH_WATER;
    },
    drained: () => drained(socket),
  };
  const { peer, done } = add({ channel, work, finish: () => connection.close(1001, 'the service stops') });
  let isKnown = false;
  const connection = new (websocket().WebSocketConnection)(socket, { isServer: true, head, limit: MAX_BODY, account: bytes }, {
    message: (text) => {
      const found = messagesOf(text, !isKnown);
      if (typeof found === 'string') {
        channel.send(refusalText(beginningOf(text).id, found));
        return connection.close(1002, found);
      }
      isKnown = true;
      return peer.receiveAll(found.list, found.size);
    },
    closed: () => {
      channel.closed = true;
      done();
    },
  });
}

// MARK: HTTP

async function handle(request, response, site) {
  request.on('error', () => {});
  response.on('error', () => {});
  site.keeper.settle(request.socket);
  const head = headOf(request);
  introduce(response, head, site.gate);
  const { refusal, path } = checked(head, request.socket, site);
  if (refusal !== undefined) return refuse(response, refusal);
  // A place for WebSockets alone.
  if (!site.kinds.has('http')) {
    return refuse(response, { status: 426, message: 'this place speaks only WebSocket', headers: { Upgrade: 'websocket' } });
  }
  const isOwn = path === '*' || OWN_PATHS.has(path);
  const commands = isOwn ? [] : (await site.describe()).commands;
  const match = isOwn ? undefined : matchRoute(commands, head.method, path);
  const options = head.method === 'OPTIONS' ? optionsFields(head, { path, commands, match }, site.gate) : undefined;
  if (options !== undefined) return answerOptions(response, options);
  const problem = match === undefined ? callProblem(head, path) : match.allow && notAllowed(head.method, match.allow.join(', '));
  if (problem !== undefined) return refuse(response, problem);
  const accounts = site.keeper.accounts(request.socket);
  // Requests that come one behind the other take memory before the first one is answered.
  if (!accounts.work.hold(REQUEST)) return refuse(response, tooMuch());
  try {
    if (match !== undefined) return await serveRoute(request, response, match, { ...site, accounts });
    return await (path === '/$metadata' ? metadata(response, site, accounts.work) : call(request, response, site, accounts));
  } finally {
    accounts.work.release(REQUEST);
  }
}

/** What every answer has: the id of its request, and what a page of another site may read. A fault of the service is in its log with that id. */
function introduce(response, head, gate) {
  const id = requestID(head.fields);
  response.setHeader('X-Request-Id', id);
  for (const [name, value] of Object.entries(gate.crossOrigin.fieldsFor(head))) response.setHeader(name, value);
  response.on('finish', () => {
    const [path] = head.target.split('?', 1);
    if (response.statusCode >= 500) warn(`${head.method} ${path} was answered with ${response.statusCode} (request ${id})`);
  });
}

/** The fields of an answer to OPTIONS; undefined when there is no such path, or a command answers. */
function optionsFields(head, { path, commands, match }, gate) {
  const methods = path === '*' ? [...METHODS] : OWN_PATHS.get(path) ?? allowedMethods(commands, path);
  if (methods.length === 0) return undefined;
  return gate.crossOrigin.preflightFields(head, methods) ?? (match?.route === undefined ? { Allow: methods.join(', ') } : undefined);
}

async function call(request, response, site, accounts) {
  const { bytes, problem } = await body(request, accounts.bytes);
  try {
    return await (problem === undefined ? answer(bytes.toString('utf8'), response, site, accounts.work) : refuse(response, problem));
  } finally {
    accounts.bytes.release(bytes?.length ?? 0);
  }
}

/** A fault of ours: the caller is told that there is one, and the service's log what it is. */
function failed(response, error) {
  warn(`a request over HTTP failed (request ${response.getHeader('X-Request-Id') ?? 'without an id'}): ${error?.stack ?? error}`);
  if (response.headersSent) return response.destroy();
  return refuse(response, { status: 500, message: 'the request failed' });
}

async function answer(text, response, { add }, work) {
  const found = messagesOf(text, true);
  if (typeof found === 'string') return end(response, 400, refusal(beginningOf(text).id, found, isJSON(text) ? 'invalidRequest' : 'parseError'));
  const { list, size } = found;
  const isList = text.trimStart().startsWith('[');
  const streamed = list.find(({ stream }) => stream);
  if (streamed !== undefined) return end(response, 400, refusal(streamed.id, 'HTTP cannot carry a stream as a parameter'));
  const channel = new ResponseChannel(response, isList);
  const { peer, done } = add({ channel, work, finish: () => {} });
  response.on('close', done);
  peer.receiveAll(list, size);
  await peer.idle();
  channel.finish();
  return undefined;
}

/** JSON-RPC 2.0, section 5: an id that could not be read is null. No client of the reference calls `/rpc`; over lines and WebSockets, which it speaks, such an error has no id. */
function refusal(id, reason, kind = 'invalidRequest') {
  const known = typeof id === 'string' || typeof id === 'number' ? id : null;
  return JSON.stringify({ jsonrpc: '2.0', id: known, error: new RpcError(kind, reason) });
}

function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

/** What the service offers, as clients of the reference ask for it. */
async function metadata(response, { add }, work) {
  const texts = [];
  const { peer, done } = add({ channel: { send: (text) => texts.push(text) }, work, finish: () => {} });
  response.on('close', done);
  peer.receiveAll([{ jsonrpc: '2.0', id: 0, method: '$metadata' }], 0);
  await peer.idle();
  done();
  end(response, 200, JSON.stringify(JSON.parse(texts[0]).result));
}

function end(response, status, text) {
  const body = `${text}\n`;
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** One message is the body; a batch is answered by a list, a stream by one message a line. */
class ResponseChannel {
  #response;
  #texts = [];
  #size = 0;
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
    return this.#response.destroyed || this.#response.writableNeedDrain;
  }

  drained() {
    return drained(this.#response);
  }

  send(text) {
    if (this.#response.destroyed) return;
    if (!this.#isStream && !this.#isBatch && text.includes('"stream":true') && JSON.parse(text).stream) this.#beginStream();
    if (this.#isStream) this.#response.write(`${text}\n`);
    else this.#keep(text);
  }

  finish() {
    if (this.#response.destroyed) return undefined;
    if (this.#isStream) return this.#response.end();
    if (this.#size > MAX_LINE) return refuse(this.#response, { status: 500, message: `the list of answers has more than ${MAX_LINE} bytes` });
    if (this.#texts.length === 0) return this.#response.writeHead(204).end();
    return end(this.#response, 200, this.#isBatch ? `[${this.#texts.join(',')}]` : this.#texts[0]);
  }

  #keep(text) {
    this.#size += text.length;
    if (this.#size <= MAX_LINE) this.#texts.push(text);
    else this.#texts = [];
  }

  #beginStream() {
    this.#isStream = true;
    this.#response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  }
}
