/**
 * Who may ask over HTTP and WebSocket. The rules are written down in Tests/Fixtures/web, and pm-gateway has the same ones: whatever is
 * decided here is decided by a vector there.
 */
import { isIP } from 'node:net';
import { CrossOrigin } from './cross-origin.mjs';
import { grouped } from './fields.mjs';

/** The longest target of a request, in bytes. */
export const MAX_TARGET = 8192;
/** The most fields in the head of a request. */
export const MAX_FIELDS = 100;
/** The longest body, in bytes. */
export const MAX_BODY = 4 * 1024 * 1024;
/** The most messages in a list. */
export const MAX_LIST = 100;

/** The methods of HTTP that a connection point knows. */
export const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
const OWN_NAMES = ['localhost', '127.0.0.1', '::1'];
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^[\x21-\x22\x24-\x5b\x5d-\x7e]+$/;
const HOST = /^(?:([a-z0-9._-]+)|\[([0-9a-f:.]+)\])(?::(\d{1,5}))?$/;

/**
 * @typedef {{method: string, target: string, version: string, fields: [string, string][]}} Head of a request, as it came
 * @typedef {{status: number, message: string, hint?: string, headers?: Record<string, string>}} Refusal
 */

/** Whether an address means this machine alone. */
export function isLoopback(host) {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Methods of the paths that every service has; OPTIONS is for all. */
export const OWN_PATHS = new Map([['/rpc', ['POST', 'OPTIONS']], ['/$metadata', ['GET', 'HEAD', 'OPTIONS']]]);

export class WebGate {
  /** What pages of other sites may read. */
  crossOrigin;
  #names;
  #takesAddresses;
  #isSecure;

  /**
   * @param {{host: string, isSecure?: boolean, options?: {hosts?: string[], origins?: string[], ca?: unknown}}} point
   */
  constructor({ host, isSecure = false, options = {} }) {
    const { hosts = [], origins = [], ca } = options;
    const given = hosts.map((name) => bare(name.toLowerCase()));
    this.#isSecure = isSecure;
    this.crossOrigin = new CrossOrigin(origins);
    // Names can be made to point to this machine (DNS rebinding), addresses cannot.
    this.#takesAddresses = !isLoopback(host) && ca === undefined;
    if (isLoopback(host)) this.#names = new Set([...given, ...OWN_NAMES, host]);
    else if (ca === undefined) this.#names = new Set([...given, 'localhost', host]);
    else if (given.length > 0) this.#names = new Set([...given, host]);
  }

  /**
   * @param {Head} head
   * @returns {{path: string} | {refusal: Refusal}} the path as it was written, or why the request is not answered
   */
  check(head) {
    const fields = grouped(head.fields);
    // `*` is no path, but the place itself (RFC 9112, section 3.2.4).
    const target = head.target === '*' && head.method === 'OPTIONS' ? { path: '*' } : targetOf(head.target);
    const authority = target.authority;
    const refusal = formProblem(head, fields) ?? target.refusal ?? methodProblem(head.method)
      ?? this.#hostProblem(head, fields, authority) ?? this.#originProblem(fields, authority) ?? codingProblem(fields);
    return refusal === undefined ? { path: target.path } : { refusal };
  }

  #hostProblem({ version }, fields, authority) {
    const hosts = fields.get('host') ?? [];
    // HTTP/1.0 has no Host; browsers never speak it.
    const isAbsent = hosts.length === 0 && version === '1.0';
    if (isAbsent && authority === undefined) return undefined;
    const text = (isAbsent ? authority : hosts[0] ?? '').toLowerCase();
    if ((!isAbsent && hosts.length !== 1) || !isHost(text)) return { status: 400, message: 'the request must have exactly one Host, NAME or NAME:PORT' };
    if (authority !== undefined && authority.toLowerCase() !== text) {
      return { status: 400, message: 'the target of the request and its Host name two places' };
    }
    return this.#isKnown(text) ? undefined : {
      status: 403, message: `${text} is not a name of this connection point`,
      hint: 'use localhost or an address, or add the name to "hosts" of the connection point',
    };
  }

  #isKnown(text) {
    if (this.#names === undefined) return true;
    const [, name, address] = HOST.exec(text);
    const known = address ?? bare(name);
    return this.#names.has(known) || (this.#takesAddresses && isIP(known) !== 0);
  }

  /** A page of another site must not reach a service through its reader's browser. */
  #originProblem(fields, authority) {
    const given = fields.get('origin') ?? [];
    const host = (fields.get('host')?.[0] ?? authority)?.toLowerCase();
    if (given.length > 0) {
      const origin = given[0].toLowerCase();
      const isOwn = host !== undefined && (origin === `https://${host}` || (!this.#isSecure && origin === `http://${host}`));
      return given.length === 1 && (isOwn || this.crossOrigin.has(origin)) ? undefined : otherSite(`pages of ${origin || 'nowhere'}`);
    }
    // Browsers say of a request without an origin whether it comes from another site's page.
    const sites = fields.get('sec-fetch-site') ?? ['none'];
    return sites.length === 1 && ['none', 'same-origin'].includes(sites[0]) ? undefined : otherSite('pages of another site');
  }
}

/**
 * What a call may look like.
 * @param {Head} head
 * @param {string} path
 * @returns {Refusal | undefined}
 */
export function callProblem({ method, fields }, path) {
  if (path === '/$metadata') {
    return method === 'GET' || method === 'HEAD' ? undefined : notAllowed(method, OWN_PATHS.get(path).join(', '));
  }
  if (path !== '/rpc') return { status: 404, message: 'this path does not exist', hint: 'POST /rpc, GET /$metadata' };
  if (method !== 'POST') return notAllowed(method, OWN_PATHS.get(path).join(', '));
  const types = grouped(fields).get('content-type') ?? [];
  // Other types may be sent by a page of another site without asking.
  if (types.length !== 1 || !/^application\/json[\t ]*(;|$)/i.test(types[0])) {
    return { status: 415, message: 'a call must have Content-Type: application/json', hint: 'send Content-Type: application/json' };
  }
  const length = Number(grouped(fields).get('content-length')?.[0] ?? 0);
  return length > MAX_BODY ? tooLong() : undefined;
}

/** @returns {Refusal} */
export function tooLong() {
  return { status: 413, message: `a body has at most ${MAX_BODY} bytes` };
}

/** @returns {Refusal} */
export function notAllowed(method, allow) {
  return { status: 405, message: `${method} is not for this path`, headers: { Allow: allow } };
}

function otherSite(who) {
  return { status: 403, message: `${who} may not use this connection point`, hint: 'add the origin to "origins" of the connection point' };
}

/** What servers and proxies could understand in two ways is refused (RFC 9112, section 11.2). */
function formProblem({ version, fields }, groups) {
  if (version !== '1.1' && version !== '1.0') return { status: 505, message: 'this place speaks HTTP/1.1' };
  if (fields.length > MAX_FIELDS) return { status: 431, message: `a request may have at most ${MAX_FIELDS} header fields` };
  if (!fields.every(([name, value]) => NAME.test(name) && VALUE.test(latin1(value)))) {
    return { status: 400, message: 'a field of the head is not well-formed' };
  }
  const lengths = groups.get('content-length') ?? [];
  if (lengths.length > 1 || !lengths.every((value) => /^\d{1,15}$/.test(value))) {
    return { status: 400, message: 'the length of the body is ambiguous' };
  }
  const codings = groups.get('transfer-encoding');
  if (codings === undefined) return undefined;
  const isClear = lengths.length === 0 && codings.length === 1 && codings[0].toLowerCase() === 'chunked' && version === '1.1';
  return isClear ? undefined : { status: 400, message: 'the transfer coding of the body must be chunked, and nothing else' };
}

function methodProblem(method) {
  return METHODS.has(method) ? undefined : { status: 405, message: `the method ${shown(method)} is not supported`, headers: { Allow: [...METHODS].join(', ') } };
}

/** A body that is compressed would reach a command as bytes that its type does not say. */
function codingProblem(fields) {
  const codings = (fields.get('content-encoding') ?? []).flatMap((value) => value.split(',')).map((coding) => coding.trim().toLowerCase());
  return codings.every((coding) => coding === '' || coding === 'identity') ? undefined : {
    status: 415, message: 'the body of a request must not be encoded', hint: 'send the body without Content-Encoding', headers: { 'Accept-Encoding': 'identity' },
  };
}

/** @returns {{path: string, authority?: string} | {refusal: Refusal, authority?: string}} */
function targetOf(target) {
  const bad = (message) => ({ refusal: { status: 400, message } });
  if (Buffer.byteLength(target) > MAX_TARGET) return { refusal: { status: 414, message: `the target of a request may have at most ${MAX_TARGET} bytes` } };
  if (!TARGET.test(target)) return bad('the target of the request is not well-formed');
  const [, authority, rest] = /^(?:https?:\/\/([^/?]*))?(.*)$/is.exec(target);
  // A whole URL may leave out the path `/` (RFC 9110, section 4.2.3).
  const local = authority !== undefined && !rest.startsWith('/') ? `/${rest}` : rest;
  if (!local.startsWith('/') || authority === '') return bad('the target of the request is not a path');
  const [path] = local.split('?', 1);
  if (path.startsWith('//')) return bad('the path of the request begins with two slashes');
  if (decoded(local) === undefined) return bad('an escape in the target of the request is none');
  if (path.split('/').some((part) => ['.', '..'].includes(decoded(part)))) return bad('the path of the request leads upwards');
  return { path, authority };
}

/** Undefined when an escape is none, not UTF-8, or NUL. */
function decoded(text) {
  try {
    const plain = decodeURIComponent(text);
    return plain.includes('\0') ? undefined : plain;
  } catch {
    // An escape that is none: the caller says so.
    return undefined;
  }
}

function isHost(text) {
  const [whole, , address, port] = HOST.exec(text) ?? [];
  return whole !== undefined && (address === undefined || isIP(address) === 6) && Number(port ?? 0) <= 65535;
}

/** A dot at the end of a name says only that the name is complete. */
function bare(name) {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** What Node reads as latin1 stays so; test vectors come as text. */
function latin1(text) {
  return /[^\x00-\xff]/.test(text) ? Buffer.from(text).toString('latin1') : text;
}

function shown(text) {
  return text.slice(0, 32).replace(/[^\x21-\x7e]/g, '?');
}
