/** Imports the files that hold commands. */
import { errorWithStatus } from './errors.mjs';

/**
 * The function a command file exports by default. Node caches the file, and so its top-level code runs once.
 * @param {URL | undefined} source
 * @param {string} what for messages: `command get of users`
 * @returns {Promise<Function>}
 * @throws statusCode 500: no file named, no such file, not a function; or what the file's own code throws
 */
export async function importCommand(source, what) {
  if (source === undefined) throw errorWithStatus(500, `${what} has no "fs" path in its configuration`);
  const script = await importFile(source, what);
  const run = defaultExport(script);
  if (typeof run !== 'function') throw errorWithStatus(500, `${what}: ${source.pathname} exports no function by default`);
  return run;
}

/**
 * Imports a file, and says clearly when it is not there.
 * @param {URL} source
 * @param {string} what for messages
 */
export async function importFile(source, what) {
  try {
    return await import(source.href);
  } catch (error) {
    if (!isMissing(error)) throw error;
    // Of the file itself Node says "Cannot find module '/a/b.js' imported from <a file of ours>", which helps nobody.
    const missing = error.url === source.href || error.message.includes(`'${decodeURI(source.pathname)}'`);
    const message = missing ? `${source.pathname}: no such file` : error.message;
    throw Object.assign(errorWithStatus(500, `${what}: ${message}`, { cause: error }), { code: error.code });
  }
}

/**
 * What a module exports by default; a CommonJS module compiled from ESM exports it one level deeper.
 * @param {object} script
 */
export function defaultExport(script) {
  const exported = script.default;
  return exported !== null && typeof exported === 'object' && 'default' in exported ? exported.default : exported;
}

function isMissing(error) {
  return error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND';
}
