/**
 * Routes of HTTP at a service's own connection point: those that the `http` configurations of its commands say, with the rules of pm-gateway
 * (Docs/Gateway.md): which route a request is for, where parameters come from, what the answer is.
 */
import { measured, MAX_DEPTH } from '../gate/messages.mjs';
import { joined } from '../gate/fields.mjs';
import { METHODS } from '../gate/web-gate.mjs';
import { body, drained, refuse } from './http.mjs';

const TYPES = { json: 'application/json', text: 'text/plain; charset=utf-8', xml: 'application/xml', raw: 'application/octet-stream' };
/** The most positions that an inject list may name. */
const MOST_POSITIONS = 256;

/** The routes of a list of commands, made once for each list. */
const known = new WeakMap();

/**
 * @param {{name: string, config: object}[]} commands
 * @param {string} method of the request
 * @param {string} path as it was written
 * @returns {{route: object, parts: object} | {allow: string[]} | undefined} `allow`: the path has a route, for these methods
 */
export function matchRoute(commands, method, path) {
  const found = routesAt(commands, path);
  if (found.length === 0) return undefined;
  // HEAD is for every path that GET is for (RFC 9110, section 9.3.2).
  const own = found.filter(({ route }) => [undefined, method, method === 'HEAD' ? 'GET' : method].includes(route.method));
  if (own.length === 0) return { allow: methodsOf(found) };
  const rank = ({ route }) => 2 * route.precision + (method === 'HEAD' && route.method === 'HEAD' ? 1 : 0);
  return own.reduce((best, one) => (rank(one) > rank(best) ? one : best));
}

/**
 * The methods that the path has a route for, with HEAD and OPTIONS; none when it has no route.
 * @param {{name: string, config: object}[]} commands
 * @param {string} path as it was written
 * @returns {string[]}
 */
export function allowedMethods(commands, path) {
  const found = routesAt(commands, path);
  return found.length === 0 ? [] : methodsOf(found);
}

function methodsOf(found) {
  const methods = found.flatMap(({ route: { method } }) => (method === undefined ? [...METHODS] : method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...new Set([...methods, 'OPTIONS'])].sort();
}

function routesAt(commands, path) {
  if (!known.has(commands)) known.set(commands, commands.map(routeOf).filter(Boolean));
  const pieces = path.split('/').filter(Boolean).map(decodeURIComponent);
  return known.get(commands).map((route) => ({ route, parts: partsIn(route, pieces) })).filter(({ parts }) => parts !== undefined);
}

function routeOf({ name, config }) {
  const { http } = config;
  if (typeof http?.route !== 'string') return undefined;
  const pieces = http.route.split('/').filter(Boolean).map((piece) => (/^\{.+\}$/.test(piece) ? { word: piece.slice(1, -1) } : { text: piece }));
  const method = String(http.method ?? 'use').toUpperCase();
  return {
    name, pieces, method: ['USE', 'ALL'].includes(method) ? undefined : method, precision: pieces.filter(({ text }) => text !== undefined).length,
    type: http.contentType ?? TYPES[http.type] ?? TYPES.json, kind: TYPES[http.type] === undefined ? 'json' : http.type,
    sources: sourcesOf(config, pieces, method),
  };
}

/** Entry i of `http.inject` goes where entry i of `jsonrpc.inject`, else of the general list, says. */
function sourcesOf({ http, jsonrpc, '': general }, pieces, method) {
  if (!Array.isArray(http.inject)) {
    const words = pieces.filter(({ word }) => word !== undefined).map(({ word }) => ['route', word]);
    return [...words, ...(method === 'GET' ? [] : ['body'])].map((value, position) => ({ position, value }));
  }
  const places = [jsonrpc?.inject, general?.inject].find(Array.isArray);
  return http.inject.flatMap((value, index) => {
    const position = places === undefined ? index : Number(/^params\.(\d{1,3})$/.exec(places[index])?.[1] ?? NaN);
    return position < MOST_POSITIONS ? [{ position, value }] : [];
  });
}

function partsIn({ pieces }, path) {
  if (pieces.length !== path.length || !pieces.every(({ text }, index) => text === undefined || text === path[index])) return undefined;
  return Object.fromEntries(pieces.flatMap(({ word }, index) => (word === undefined ? [] : [[word, path[index]]])));
}

// MARK: the request

/**
 * Answers a request for a route.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {{route: object, parts: object}} match
 * @param {{add: Function, accounts: {bytes: object, work: object}}} site
 */
export async function serveRoute(request, response, { route, parts }, { add, accounts }) {
  const { bytes, problem } = await body(request, accounts.bytes);
  if (problem !== undefined) return refuse(response, problem);
  try {
    const inputs = inputsOf(request, parts, bytes, response.getHeader('X-Request-Id'));
    if (inputs.problem !== undefined) return refuse(response, { status: 400, message: inputs.problem });
    const params = [];
    for (const { position, value } of route.sources) params[position] = resolved(value, inputs);
    const channel = new RouteChannel(response, route, request.method === 'HEAD');
    const { peer, done } = add({ channel, work: accounts.work, finish: () => {} });
    response.on('close', done);
    const message = { jsonrpc: '2.0', id: 1, method: route.name, params: Array.from(params, (value) => value ?? null) };
    peer.receiveAll([message], inputs.size);
    await peer.idle();
    return channel.finish();
  } finally {
    accounts.bytes.release(bytes.length);
  }
}

function inputsOf({ url, rawHeaders }, route, bytes, id) {
  const fields = [];
  for (let index = 0; index < rawHeaders.length; index += 2) fields.push([rawHeaders[index], rawHeaders[index + 1]]);
  // The id that the answer has, not one that was refused.
  const headers = { ...joined(fields), 'x-request-id': id };
  const place = url.indexOf('?');
  const query = Object.fromEntries(new URLSearchParams(place < 0 ? '' : url.slice(place + 1)));
  return { route, query, headers, rawBody: bytes, ...contentOf((headers['content-type'] ?? '').split(';')[0].trim().toLowerCase(), bytes) };
}

function contentOf(type, bytes) {
  const size = bytes.length;
  if (size === 0) return { body: null, size };
  if (type === '' || type === 'application/json' || type.endsWith('+json')) return readJSON(bytes);
  if (type === 'application/x-www-form-urlencoded') return { body: Object.fromEntries(new URLSearchParams(bytes.toString('utf8'))), size: 4 * size };
  if (type.startsWith('text/') || type.endsWith('xml')) return { body: bytes.toString('utf8'), size };
  return { body: bytes, size };
}

function readJSON(bytes) {
  try {
    const value = JSON.parse(bytes.toString('utf8'));
    const { depth, size } = measured(bytes);
    return depth > MAX_DEPTH ? { problem: `the body is more than ${MAX_DEPTH} levels deep` } : { body: value, size };
  } catch {
    // Parsers' messages repeat what came; who sent it knows.
    return { problem: 'the body is not JSON' };
  }
}

function resolved(source, inputs) {
  if (typeof source === 'string') return lookUp(source.split('.'), inputs);
  if (Array.isArray(source)) return lookUp(source.filter((key) => typeof key === 'string'), inputs);
  if (source === null || typeof source !== 'object') return null;
  return Object.fromEntries(Object.entries(source).map(([key, value]) => [key, resolved(value, inputs)]));
}

/** Names of headers have no case, and may hold dots. */
function lookUp([first, ...rest], inputs) {
  if (!['route', 'query', 'headers', 'body', 'rawBody'].includes(first)) return null;
  const path = first === 'headers' && rest.length > 0 ? [rest.join('.').toLowerCase()] : rest;
  return path.reduce((value, key) => (value !== null && typeof value === 'object' && Object.hasOwn(value, key) ? value[key] : null), inputs[first]);
}

// MARK: the answer

/** One message is the result, or the error; a stream comes in pieces, of `json` a value a line. */
class RouteChannel {
  #response;
  #route;
  #isHead;
  #isStream = false;

  constructor(response, route, isHead) {
    this.#response = response;
    this.#route = route;
    this.#isHead = isHead;
  }

  get closed() {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  get congested() {
    return this.#response.destroyed || this.#response.writableNeedDrain;
  }

  drained() {
    return drained(this.#response);
  }

  send(text) {
    if (this.closed) return undefined;
    const { result, error, stream } = JSON.parse(text);
    if (this.#isStream) return this.#piece(result, error);
    if (error) return this.#fail(error);
    if (stream) {
      this.#isStream = true;
      const { kind, type } = this.#route;
      this.#response.writeHead(200, { 'Content-Type': kind === 'json' ? 'application/x-ndjson' : type });
      // Nobody reads the stream, and it may have no end.
      return this.#isHead ? this.#response.end() : undefined;
    }
    if (result === undefined || result === null) return this.#response.writeHead(204).end();
    return this.#whole(200, this.#route.type, this.#content(result));
  }

  /** Everything was sent; a command that answered nothing at all is a fault. */
  finish() {
    if (!this.#response.destroyed && !this.#response.headersSent) refuse(this.#response, { status: 500, message: 'the command was not answered' });
  }

  /** An error after the status went out: all that is left is to break off. */
  #piece(result, error) {
    if (error) return this.#response.destroy();
    if (result.event === 'end') return this.#response.end();
    const data = result.isBuffer ? Buffer.from(result.data) : result.data;
    return this.#response.write(this.#route.kind === 'json' && !result.isBuffer ? `${JSON.stringify(data)}\n` : this.#content(data));
  }

  #fail({ statusCode, code, message, hint }) {
    const status = code === -32601 ? 404 : statusCode ?? 500;
    this.#whole(status, TYPES.json, JSON.stringify({ statusCode: status, code, message, hint }));
  }

  /** With its length, which the answer to HEAD has too. */
  #whole(status, type, content) {
    return this.#response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(content) }).end(content);
  }

  #content(value) {
    if (Buffer.isBuffer(value)) return value;
    if (this.#route.kind === 'json') return JSON.stringify(value);
    if (typeof value === 'string') return value;
    return value?.type === 'Buffer' && Array.isArray(value.data) ? Buffer.from(value.data) : JSON.stringify(value);
  }
}
