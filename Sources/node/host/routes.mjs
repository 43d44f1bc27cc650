/**
 * Routes of HTTP at a service's own connection point: those that the `http` configurations of its commands say, with the rules of pm-gateway
 * (Docs/Gateway.md): which route a request is for, where parameters come from, what the answer is.
 */
import { measured, MAX_DEPTH } from './gate/messages.mjs';
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
  if (!known.has(commands)) known.set(commands, commands.map(routeOf).filter(Boolean));
  const pieces = path.split('/').filter(Boolean).map(decodeURIComponent);
  const found = known.get(commands).map((route) => ({ route, parts: partsIn(route, pieces) })).filter(({ parts }) => parts !== undefined);
  if (found.length === 0) return undefined;
  const own = found.filter(({ route }) => route.method === undefined || route.method === method);
  if (own.length === 0) return { allow: [...new Set(found.map(({ route }) => route.method))].sort() };
  return own.reduce((best, one) => (one.route.precision > best.route.precision ? one : best));
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
    const inputs = inputsOf(request, parts, bytes);
    if (inputs.problem !== undefined) return refuse(response, { status: 400, message: inputs.problem });
    const params = [];
    for (const { position, value } of route.sources) params[position] = resolved(value, inputs);
    const channel = new RouteChannel(response, route);
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

function inputsOf({ url, headers }, route, bytes) {
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
  #isStream = false;

  constructor(response, route) {
    this.#response = response;
    this.#route = route;
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
    if (this.#response.destroyed) return undefined;
    const { result, error, stream } = JSON.parse(text);
    if (this.#isStream) return this.#piece(result, error);
    if (error) return this.#fail(error);
    if (stream) {
      this.#isStream = true;
      const { kind, type } = this.#route;
      return this.#response.writeHead(200, { 'Content-Type': kind === 'json' ? 'application/x-ndjson' : type });
    }
    if (result === undefined || result === null) return this.#response.writeHead(204).end();
    return this.#response.writeHead(200, { 'Content-Type': this.#route.type }).end(this.#content(result));
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
    this.#response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ statusCode: status, code, message, hint }));
  }

  #content(value) {
    if (Buffer.isBuffer(value)) return value;
    if (this.#route.kind === 'json') return JSON.stringify(value);
    if (typeof value === 'string') return value;
    return value?.type === 'Buffer' && Array.isArray(value.data) ? Buffer.from(value.data) : JSON.stringify(value);
  }
}
