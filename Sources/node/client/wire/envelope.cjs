'use strict';

/** The texts of messages of JSON-RPC 2.0, without their line ends, none longer than a line may be. */
const { errorText, errorWithStatus, publicError, RpcError } = require('./errors.cjs');
const { MAX_LINE, ROOM } = require('./limits.cjs');

/**
 * A message as it is: a request, a notification, or a frame of a stream.
 * @param {object} message
 * @throws statusCode 413 when it is too long; or what JSON says of a value that it cannot hold
 */
function messageText(message) {
  return checked(JSON.stringify({ jsonrpc: '2.0', ...message }), message.method === undefined ? 'a piece of a stream' : `the call of ${message.method}`);
}

/** A frame of a stream, in the order of members that the reference has. */
function frameText(id, frame) {
  return checked(JSON.stringify({ id, ...frame, jsonrpc: '2.0' }), 'a piece of a stream');
}

/** A notification about a call. */
function signalText(method, id) {
  return JSON.stringify({ jsonrpc: '2.0', method, params: [id] });
}

function checked(text, what) {
  if (isTooLong(text)) throw tooLong(what, text);
  return text;
}

function tooLong(what, text) {
  return errorWithStatus(413, `${what} has ${Buffer.byteLength(text)} bytes, and a message has at most ${MAX_LINE - ROOM}: send a stream`);
}

/** Whether a text is longer than what is sent. */
function isTooLong(text) {
  const most = MAX_LINE - ROOM;
  return text.length > most || (3 * text.length > most && Buffer.byteLength(text) > most);
}

/**
 * The answer to a call that worked. Nothing (`undefined`) is written as `"error":null`, as the reference does; null,
 * zero, false and the empty string stay what they are.
 * @param {string | number} id
 * @param {unknown} result
 * @param {(id: string | number, error: unknown) => string} [textOfError]
 */
function resultText(id, result, textOfError = failureText) {
  let text;
  try {
    text = JSON.stringify(withoutPrivate(result));
  } catch (error) {
    return textOfError(id, errorWithStatus(500, `the result cannot be written as JSON: ${error.message}`));
  }
  if (text !== undefined && isTooLong(text)) return textOfError(id, tooLong('the result', text));
  const outcome = text === undefined ? '"error":null' : `"result":${text}`;
  return `{"id":${JSON.stringify(id)},${outcome},"jsonrpc":"2.0"}`;
}

/**
 * The answer to a call that failed.
 * @param {string | number} id
 * @param {unknown} error whatever was thrown
 */
function failureText(id, error) {
  const idText = JSON.stringify(id);
  if (error instanceof RpcError) return `{"error":${JSON.stringify(error)},"id":${idText},"jsonrpc":"2.0"}`;
  const text = `{"id":${idText},"error":${errorText(error)},"jsonrpc":"2.0"}`;
  return isTooLong(text) ? failureText(id, tooLong('the error of the call', text)) : text;
}

/**
 * The same for a stranger, who gets no more than is meant for one.
 * @param {string | number} id
 * @param {unknown} error whatever was thrown
 */
function publicFailureText(id, error) {
  if (error instanceof RpcError) return failureText(id, error);
  const text = `{"id":${JSON.stringify(id)},"error":${JSON.stringify(publicError(error))},"jsonrpc":"2.0"}`;
  return isTooLong(text) ? publicFailureText(id, tooLong('the error of the call', text)) : text;
}

/**
 * The answer to what is no request; without an id when it had none that could be repeated.
 * @param {unknown} id
 * @param {string} info what is wrong with it
 * @param {number} [statusCode] in HTTP's numbers
 */
function refusalText(id, info, statusCode) {
  const known = typeof id === 'string' || typeof id === 'number' ? `"id":${JSON.stringify(id)},` : '';
  return `{"error":${JSON.stringify(new RpcError('invalidRequest', info, statusCode))},${known}"jsonrpc":"2.0"}`;
}

/** So much of a message is looked at, in characters. */
const BEGINNING = 4096;
/** One member of an object whose value is a string, a number or a word, with what stands behind it. */
const MEMBER = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*[,}]/y;
const KEY = /\s*"(\w*)"\s*:/y;

/**
 * What the beginning of a message tells: its id, and whether it is a request or an answer, as far as that stands in front of the end of its
 * first list or object.
 * @param {string} text a message that is broken further on, or the beginning of one
 * @returns {{id?: string | number, kind?: 'request' | 'answer'}}
 */
function beginningOf(text) {
  const head = text.slice(0, BEGINNING);
  const known = {};
  let place = /^\s*\{/.exec(head)?.[0].length ?? head.length;
  for (let match = at(MEMBER, head, place); match !== null; match = at(MEMBER, head, place)) {
    known[parsed(match[1])] = parsed(match[2]);
    place = MEMBER.lastIndex;
  }
  const next = at(KEY, head, place)?.[1];
  const { id, method } = known;
  const isRequest = typeof method === 'string' || next === 'method' || next === 'params';
  const isAnswer = !isRequest && (next === 'result' || next === 'error');
  return { ...(typeof id === 'string' || typeof id === 'number' ? { id } : {}), ...(isRequest ? { kind: 'request' } : isAnswer ? { kind: 'answer' } : {}) };
}

function at(pattern, text, place) {
  pattern.lastIndex = place;
  return pattern.exec(text);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // A number or a string that is none in JSON: the message is broken there.
    return undefined;
  }
}

/** Top-level members whose name begins with `_` stay here: so the reference does, and so containers expect. */
function withoutPrivate(result) {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return result;
  if (typeof result.toJSON === 'function') return result;
  const keys = Object.keys(result);
  if (!keys.some((key) => key[0] === '_')) return result;
  return Object.fromEntries(keys.filter((key) => key[0] !== '_').map((key) => [key, result[key]]));
}

module.exports = {
  beginningOf, failureText, frameText, isTooLong, messageText, publicFailureText, refusalText, resultText, signalText,
};
