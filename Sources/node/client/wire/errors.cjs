'use strict';

/** Errors on their way over the wire, in both directions, and those of the connection itself. */

const RPC_ERRORS = {
  parseError: [-32700, 'Parse error'],
  invalidRequest: [-32600, 'Invalid Request'],
  methodNotFound: [-32601, 'Method not found'],
  invalidParams: [-32602, 'Invalid params'],
};

/** The longest text of an error that a stranger gets, in characters. */
const LONGEST_TEXT = 8192;
/** How many errors cross the wire as one: its causes, and what it gathers. */
const MOST_ERRORS = 64;

/** A JSON-RPC protocol error: `{code, message, data: {info}}`, as the specification and the reference write it. */
class RpcError extends Error {
  /**
   * @param {keyof RPC_ERRORS} kind
   * @param {string} info what exactly was wrong
   * @param {number} [statusCode] in HTTP's numbers, for what is more than a wrong message
   */
  constructor(kind, info, statusCode) {
    const [code, message] = RPC_ERRORS[kind];
    super(message);
    this.code = code;
    this.data = { info };
    if (statusCode !== undefined) this.statusCode = statusCode;
  }

  toJSON() {
    return { code: this.code, message: this.message, data: this.data, statusCode: this.statusCode };
  }
}

/**
 * The error of a call to a command nobody has.
 * @param {string} method
 */
function methodNotFound(method) {
  return new RpcError('methodNotFound', `no handler found for method ${method}`);
}

/**
 * An error with a status in HTTP's numbers, which every caller of pm understands.
 * @param {number} statusCode
 * @param {string} message
 * @param {object} [members] `cause`, and further ones: `code`, `hint`, `retry`
 */
function errorWithStatus(statusCode, message, { cause, ...members } = {}) {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  return Object.assign(error, { statusCode }, members);
}

/** The error of a call that is still unanswered when its connection ends: it may have been done. */
function disconnected(method, cause) {
  const why = cause?.message ? `: ${cause.message}` : '';
  return errorWithStatus(503, `the connection ended before ${method} was answered${why}`, { code: 'PM_DISCONNECTED', retry: true, cause });
}

/** An answer that did not come in time. */
function late(method, timeout) {
  return errorWithStatus(504, `${method} was not answered within ${timeout} ms`, { code: 'PM_DEADLINE' });
}

/** The error of a call that its caller has cancelled. */
function cancelled() {
  return errorWithStatus(499, 'the caller cancelled the call', { code: 'CANCELLED' });
}

/**
 * The JSON text of anything thrown: message, name, own enumerable members, stack, `cause`, and the `errors` of an AggregateError; `toJSON` is
 * honoured.
 * @param {unknown} thrown
 * @returns {string} always an object: a falsy `error` would mean success to the receiver
 */
function errorText(thrown) {
  try {
    return JSON.stringify(allOf(thrown)) ?? JSON.stringify({ message: String(thrown) });
  } catch {
    // An HTTP client's error may hold its socket: cyclic. What can be written is kept.
    return JSON.stringify(plainMembers(thrown));
  }
}

/** The same as a value. */
function errorObject(thrown) {
  return JSON.parse(errorText(thrown));
}

/**
 * What a stranger gets of an error: its status, code, message and hint, what was meant for strangers, `publicData`, as `data`, and the same of its
 * `cause` and `errors`. Nothing else of it leaves: errors of libraries carry requests with tokens, paths and whole clients.
 * @param {unknown} thrown
 * @param {Set<unknown>} [seen] errors that are told already: each is, once
 * @returns {{statusCode: number, code?: string | number, message: string, hint?: string, data?: unknown, cause?: object, errors?: object[]}}
 */
function publicError(thrown, seen = new Set()) {
  try {
    if (thrown instanceof RpcError) return thrown.toJSON();
    if (thrown === null || typeof thrown !== 'object') return { statusCode: 500, message: cut(thrown) };
    const { statusCode, code, message, hint, publicData, as, cause, errors } = thrown;
    const told = { statusCode: Number.isInteger(statusCode) && statusCode >= 400 && statusCode <= 599 ? statusCode : 500 };
    if (typeof code === 'string' || Number.isFinite(code)) told.code = typeof code === 'string' ? cut(code) : code;
    told.message = typeof message === 'string' ? cut(message) : 'the command failed';
    if (typeof hint === 'string') told.hint = cut(hint);
    // A question of a service: the option that the answer is for.
    if (code === 'INTERACT' && typeof as === 'string') told.as = cut(as);
    if (publicData !== undefined) told.data = JSON.parse(JSON.stringify(publicData) ?? 'null');
    if (!isErrorLike(thrown)) return told;
    return { ...told, ...reasonsOf({ cause: isErrorLike(cause) ? cause : undefined, errors }, seen.add(thrown), publicError) };
  } catch {
    // A member that throws when it is looked at, or data that is no JSON.
    return { statusCode: 500, message: 'the command failed' };
  }
}

function cut(value) {
  const text = String(value);
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

function allOf(thrown, seen = new Set()) {
  if (thrown === null || typeof thrown !== 'object') return { message: String(thrown) };
  if (typeof thrown.toJSON === 'function') return thrown.toJSON();
  if (!isErrorLike(thrown)) return thrown;
  // In the order of the reference's relay, whose callers read `name`.
  return { message: thrown.message, name: thrown.name, ...thrown, stack: thrown.stack, ...reasonsOf(thrown, seen.add(thrown), allOf) };
}

function plainMembers(thrown, seen = new Set()) {
  const kept = {};
  for (const [key, value] of Object.entries(thrown)) {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) kept[key] = value;
  }
  return { message: String(thrown.message ?? thrown), name: thrown.name, ...kept, stack: thrown.stack, ...reasonsOf(thrown, seen.add(thrown), plainMembers) };
}

/** `cause` and `errors`, which are no enumerable members where the language itself has set them. */
function reasonsOf({ cause, errors }, seen, describe) {
  const told = (value) => {
    if (!isErrorLike(value)) return describe === publicError ? describe(value) : value;
    return seen.has(value) || seen.size >= MOST_ERRORS ? { message: String(value.message) } : describe(value, seen);
  };
  return {
    ...(cause === undefined ? {} : { cause: told(cause) }),
    ...(Array.isArray(errors) ? { errors: errors.slice(0, MOST_ERRORS).map(told) } : {}),
  };
}

function isErrorLike(value) {
  return value instanceof Error || (typeof value?.message === 'string' && typeof value.stack === 'string');
}

/**
 * The error that an answer carried, as something to throw: an `Error` with the members it had on the other side.
 * @param {unknown} error the `error` member of the answer
 * @returns {Error}
 */
function revive(error) {
  if (error === null || typeof error !== 'object') return new Error(String(error));
  const info = typeof error.data?.info === 'string' ? error.data.info : undefined;
  const message = typeof error.message === 'string' ? error.message : JSON.stringify(error);
  // An error that was passed on says it already.
  const text = info === undefined || message.endsWith(info) ? message : `${message}: ${info}`;
  const { cause, errors, ...members } = error;
  const options = cause === undefined ? undefined : { cause: hasMessage(cause) ? revive(cause) : cause };
  const revived = Array.isArray(errors) ? new AggregateError(errors.map((one) => (hasMessage(one) ? revive(one) : one)), text, options) : new Error(text, options);
  for (const [key, value] of Object.entries(members)) {
    if (key !== '__proto__' && key !== 'message') revived[key] = value;
  }
  return revived;
}

function hasMessage(value) {
  return value !== null && typeof value === 'object' && typeof value.message === 'string';
}

module.exports = { RpcError, cancelled, disconnected, errorObject, errorText, errorWithStatus, late, methodNotFound, publicError, revive };
