/** Imports the files that hold commands. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { useSourceMaps } from './source-maps.cjs';
import { errorWithStatus } from '../wire.mjs';

/** How often the program was read again. */
let version = 0;

/** @param {number} number files are imported again under another version */
export function setVersion(number) {
  version = number;
}

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
  if (typeof run === 'function') return run;
  throw errorWithStatus(500, `${what}: ${decodeURIComponent(source.pathname)} exports no function by default`);
}

/**
 * Imports a file, and says clearly when it is not there or not JavaScript: Node's own error names neither.
 * @param {URL} source
 * @param {string} what for messages
 */
export async function importFile(source, what) {
  if (source.protocol === 'file:') useSourceMaps(fileURLToPath(source));
  try {
    return await import(versioned(source));
  } catch (error) {
    const path = decodeURIComponent(source.pathname);
    const message = explain(error, path);
    const place = error instanceof SyntaxError ? await syntaxPlace(error, source) : undefined;
    if (place !== undefined) throw withPlace(errorWithStatus(500, `${what}: ${place.split('\n')[0]}: ${error.message}`, { cause: error }), place);
    if (message === undefined) throw error;
    throw Object.assign(errorWithStatus(500, `${what}: ${message}`, { cause: error }), { code: error.code });
  }
}

async function syntaxPlace(error, source) {
  const { placeOf } = await import('./syntax.mjs');
  return placeOf(error, source);
}

/** The place is for the log, and not for callers. */
function withPlace(error, place) {
  return Object.defineProperty(error, 'place', { value: place });
}

/** A file's URL in its current version; a CommonJS module is kept under its path, and is taken out there. */
function versioned(source) {
  if (version === 0 || source.protocol !== 'file:') return source.href;
  delete createRequire(import.meta.url).cache[decodeURIComponent(source.pathname)];
  return `${source.href}?version=${version}`;
}

function explain(error, path) {
  if (error?.code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[mc]?ts$/.test(path)) {
    return `${path}: Node runs TypeScript from version 22.18 on, and this is ${process.version}; compile it to JavaScript first`;
  }
  if (error instanceof SyntaxError && isPlaceless(error)) return `${path}: ${error.message}`;
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' && error?.code !== 'MODULE_NOT_FOUND') return undefined;
  if (error.message.startsWith(`Cannot find module '${path}'`)) return `${path}: no such file`;
  // See client.cjs: this Node provides the client to ES modules only where it finds it mentioned.
  const hint = error.message.includes("package '@akala/pm'") ? '; name it in the dependencies in package.json' : '';
  return error.message.split('\n')[0] + hint;
}

/**
 * What a module exports by default; a CommonJS module compiled from ESM exports it one level deeper.
 * @param {object} script
 */
export function defaultExport(script) {
  const exported = script.default;
  return exported !== null && typeof exported === 'object' && 'default' in exported ? exported.default : exported;
}

/** Node keeps the place of a mistake in an ES module to itself, and shows it only when it dies of it. */
function isPlaceless(error) {
  const lines = String(error.stack).split('\n');
  return lines[0].startsWith('SyntaxError') && lines.slice(1).every((line) => line.includes('node:internal'));
}
