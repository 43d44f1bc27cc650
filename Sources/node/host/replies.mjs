/** The lines that answer a request, each ending in a newline. */
import { errorText, errorWithStatus, publicError, RpcError } from './errors.mjs';

/** The longest line that every receiver takes, in bytes. */
export const MAX_LINE = 64 * 1024 * 1024;

/**
 * The answer to a call that worked. Nothing (`undefined`) is written as `"error":null`, as the reference does; null,
 * zero, false and the empty string stay what they are.
 * @param {string | number} id
 * @param {unknown} result
 * @param {(id: string | number, error: unknown) => string} [lineOfError]
 */
export function resultLine(id, result, lineOfError = errorLine) {
  let text;
  try {
    text = JSON.stringify(withoutPrivate(result));
  } catch (error) {
    return lineOfError(id, errorWithStatus(500, `the result cannot be written as JSON: ${error.message}`));
  }
  if (text !== undefined && isTooLong(text)) {
    const size = Buffer.byteLength(text);
    return lineOfError(id, errorWithStatus(500, `the result has ${size} bytes, and a message at most ${MAX_LINE}: return it as a stream`));
  }
  const outcome = text === undefined ? '"error":null' : `"result":${text}`;
  return `{"id":${JSON.stringify(id)},${outcome},"jsonrpc":"2.0"}\n`;
}

/**
 * The answer to a call that failed.
 * @param {string | number} id
 * @param {unknown} error whatever was thrown
 */
export function errorLine(id, error) {
  const idText = JSON.stringify(id);
  if (error instanceof RpcError) return `{"error":${JSON.stringify(error)},"id":${idText},"jsonrpc":"2.0"}\n`;
  return `{"id":${idText},"error":${errorText(error)},"jsonrpc":"2.0"}\n`;
}

/**
 * The same for a stranger, who is told no more than is meant for one.
 * @param {string | number} id
 * @param {unknown} error whatever was thrown
 */
export function publicErrorLine(id, error) {
  return error instanceof RpcError ? errorLine(id, error) : `{"id":${JSON.stringify(id)},"error":${JSON.stringify(publicError(error))},"jsonrpc":"2.0"}\n`;
}

/** Whether a text is longer than a line may be, with a little room for what stands around it. */
export function isTooLong(text) {
  const most = MAX_LINE - 4096;
  return text.length > most || (3 * text.length > most && Buffer.byteLength(text) > most);
}

/**
 * The answer to what is no request; without an id when it had none that could be repeated.
 * @param {unknown} id
 * @param {string} info what is wrong with it
 */
export function refusalLine(id, info) {
  const known = typeof id === 'string' || typeof id === 'number' ? `"id":${JSON.stringify(id)},` : '';
  return `{"error":${JSON.stringify(new RpcError('invalidRequest', info))},${known}"jsonrpc":"2.0"}\n`;
}

/** Top-level members whose name begins with `_` stay here: so the reference does, and so containers expect. */
function withoutPrivate(result) {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return result;
  if (typeof result.toJSON === 'function') return result;
  const keys = Object.keys(result);
  if (!keys.some((key) => key[0] === '_')) return result;
  return Object.fromEntries(keys.filter((key) => key[0] !== '_').map((key) => [key, result[key]]));
}
