/** The lines that answer a request, each ending in a newline. */
import { errorText, errorWithStatus, RpcError } from './errors.mjs';

/**
 * The answer to a call that worked. Nothing (`undefined`) is written as `"error":null`, as the reference does; null,
 * zero, false and the empty string stay what they are.
 * @param {string | number} id
 * @param {unknown} result
 */
export function resultLine(id, result) {
  let text;
  try {
    text = JSON.stringify(withoutPrivate(result));
  } catch (error) {
    return errorLine(id, errorWithStatus(500, `the result cannot be written as JSON: ${error.message}`));
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
