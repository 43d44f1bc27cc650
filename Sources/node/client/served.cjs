'use strict';

/** How a container of a program becomes the service that pm runs: through the host that has loaded the program. */
const { dirname } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { errorWithStatus } = require('./wire/errors.cjs');

/** Where the host of a service is found, by whatever copy of this package. */
const HOST = Symbol.for('pm.host');
/** The commands of a container with their functions, for the host: `[{name, config, run, source}]`. */
const DEFINITIONS = Symbol.for('pm.definitions');

/** Tells the host, if there is one, that the program has a container, which it may serve later. */
function announce() {
  globalThis[HOST]?.expect();
}

/**
 * Hands a container to the host.
 * @throws statusCode 503 in a program that pm has not started as a commandable service
 */
function serve(container) {
  const host = globalThis[HOST];
  if (host !== undefined) return host.serve(container);
  throw errorWithStatus(503, `nobody could call ${container.name}: pm has not started this program as a commandable service`, {
    hint: 'pm map NAME FILE --commandable, then pm start NAME',
  });
}

/**
 * The URL of a path in the configuration of a command. It is relative to the file whose code registers the command.
 * @param {string} path or URL
 * @param {Function} registering the function that this code has called
 */
function sourceOf(path, registering) {
  return /^[a-z]+:\/\//.test(path) ? new URL(path) : pathToFileURL(require('node:path').resolve(folderOfCaller(registering), path));
}

function folderOfCaller(called) {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder = {};
  try {
    Error.prepareStackTrace = (_, sites) => sites;
    Error.stackTraceLimit = 1;
    Error.captureStackTrace(holder, called);
    const file = holder.stack[0]?.getFileName() ?? process.argv[1] ?? '.';
    return dirname(file.startsWith('file:') ? fileURLToPath(file) : file);
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}

/** The function that a file exports by default; a CommonJS module compiled from ESM exports it one level deeper. */
async function importFunction(source, name) {
  const { default: exported } = await import(source.href);
  const run = exported?.default ?? exported;
  if (typeof run === 'function') return run;
  throw errorWithStatus(500, `command ${name}: ${decodeURIComponent(source.pathname)} exports no function by default`);
}

module.exports = { announce, DEFINITIONS, importFunction, serve, sourceOf };
