/** What of a stranger's text is JSON-RPC. */
import { MAX_LIST } from './web-gate.mjs';
import { NO_MESSAGE } from './stranger.mjs';

/** The deepest nesting of a message. */
export const MAX_DEPTH = 512;
/** The longest name of a method, in characters. */
const MAX_METHOD = 1024;

/** What a message takes in memory beside its text, about, in bytes: each list or object, each name in one, each further value. */
const [OF_CONTAINER, OF_NAME, OF_VALUE] = [64, 64, 16];
/** A text of so many bytes is not worth looking through: it cannot be too deep, and takes so many times its size at most. */
const [SHORT, MOST_TIMES] = [2 * MAX_DEPTH, 28];
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The messages in a text: one, or a list of them, of which each is JSON-RPC; else none is.
 * @param {Buffer | string} text
 * @param {boolean} isFirst whether only requests will do
 * @returns {{list: object[], size: number} | string} the messages and what they take in memory, about; or what is wrong
 */
export function messagesOf(text, isFirst) {
  let value;
  try {
    value = JSON.parse(typeof text === 'string' ? text : decoder.decode(text));
  } catch {
    // Parsers' messages repeat what came; who sent it knows.
    return isFirst ? NO_MESSAGE : 'a line must be a message of JSON-RPC 2.0';
  }
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0 || list.length > MAX_LIST) return `a list has 1 to ${MAX_LIST} messages`;
  if (!list.every((message) => isMessage(message, isFirst))) return 'each message must be a message of JSON-RPC 2.0';
  const { depth, size } = measured(text);
  return depth > MAX_DEPTH ? `a message is at most ${MAX_DEPTH} levels deep` : { list, size };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isMessage(message, isFirst) {
  if (message === null || typeof message !== 'object' || message.jsonrpc !== '2.0') return false;
  if (typeof message.method === 'string') return message.method.length <= MAX_METHOD;
  return !isFirst && message.method === undefined;
}

/**
 * How deep JSON is, and what it takes in memory, about: `[1]` takes sixteen times its text. Read from the text, which is quicker than to
 * walk through millions of values.
 * @param {Buffer | string} text JSON
 */
export function measured(text) {
  if (text.length <= SHORT) return { depth: 0, size: MOST_TIMES * text.length };
  const byteAt = typeof text === 'string' ? (place) => text.charCodeAt(place) : (place) => text[place];
  let [level, depth, size] = [0, 0, text.length];
  for (let place = 0; place < text.length; place++) {
    const byte = byteAt(place);
    if (byte === COMMA) size += OF_VALUE;
    else if (byte === COLON) size += OF_NAME;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      size += OF_CONTAINER + OF_VALUE;
      depth = Math.max(depth, ++level);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) level--;
    else if (byte === QUOTE) {
      for (place++; byteAt(place) !== QUOTE; place++) if (byteAt(place) === BACKSLASH) place++;
    }
  }
  return { depth, size };
}
