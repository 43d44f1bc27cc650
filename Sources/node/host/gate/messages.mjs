/** What of a stranger's text is JSON-RPC. */
import { MAX_LIST } from './web-gate.mjs';
import { NO_MESSAGE } from './stranger.mjs';

/** The deepest nesting of a message. */
const MAX_DEPTH = 512;
/** The longest name of a method, in characters. */
const MAX_METHOD = 1024;

/**
 * The messages in a text: one, or a list of them, of which each is JSON-RPC; else none is.
 * @param {Buffer | string} text
 * @param {boolean} isFirst whether only requests will do
 * @returns {object[] | string} the messages, or what is wrong
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
  const problem = list.every((message) => isMessage(message, isFirst)) ? undefined : 'each message must be a message of JSON-RPC 2.0';
  // Two bytes are a level at least.
  return problem ?? (text.length > 2 * MAX_DEPTH && isTooDeep(value, MAX_DEPTH) ? `a message is at most ${MAX_DEPTH} levels deep` : list);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isMessage(message, isFirst) {
  if (message === null || typeof message !== 'object' || message.jsonrpc !== '2.0') return false;
  if (typeof message.method === 'string') return message.method.length <= MAX_METHOD;
  return !isFirst && message.method === undefined;
}

/** Without recursion: the depth is the stranger's. */
function isTooDeep(value, limit) {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next = [];
    for (const one of level) for (const member of Object.values(one)) if (member !== null && typeof member === 'object') next.push(member);
    level = next;
  }
  return false;
}
