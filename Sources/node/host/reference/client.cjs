'use strict';
/**
 * Makes `@akala/pm` resolve to the client that comes with pm in a program that has not installed it. One that is
 * installed wins: we are asked only when Node finds none. It runs in Node >= 12, older than the client needs: preload.cjs
 * brings it into programs that never ask for the client.
 */
const { readFileSync, readdirSync, realpathSync } = require('fs');
const Module = require('module');
const { dirname, extname, join, sep } = require('path');
const { pathToFileURL } = require('url');

const NAME = '@akala/pm';
const CLIENT = join(__dirname, '../../client');
const SOURCES = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.jsx', '.tsx']);
/** So much is looked through before the client is taken for mentioned: some 20 ms. */
const MOST_ENTRIES = 2000;
const MOST_BYTES = 8 << 20;

/**
 * Node >= 22.15 has hooks that cost nothing. Before, `require` is covered by wrapping its resolver, and `import` by a
 * loader thread of 10 MB, which is started only if the program's package.json or its sources mention the client.
 * @param {string} program the path of the program
 */
exports.provideClient = function (program) {
  if (Module.registerHooks !== undefined) {
    Module.registerHooks({ resolve: fallBack });
    return;
  }
  const resolveFilename = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    if (request !== NAME) return resolveFilename.call(this, request, ...rest);
    try {
      return resolveFilename.call(this, request, ...rest);
    } catch (error) {
      // Not installed: ours.
      return join(CLIENT, 'index.cjs');
    }
  };
  if (Module.register !== undefined && isMentioned(program)) Module.register(urlOf(join(__dirname, 'client-loader.mjs')));
};

function urlOf(path) {
  return pathToFileURL(path).href;
}

function fallBack(specifier, context, next) {
  if (specifier !== NAME) return next(specifier, context);
  try {
    return next(specifier, context);
  } catch (error) {
    const isImport = context.conditions.includes('import');
    const [name, format] = isImport ? ['index.mjs', 'module'] : ['index.cjs', 'commonjs'];
    return { url: urlOf(join(CLIENT, name)), format, shortCircuit: true };
  }
}

function isMentioned(program) {
  if (program === '') return false;
  const folder = folderOf(program);
  // A tool that is installed, npm for example, brings what it needs.
  if (folder.split(sep).includes('node_modules')) return false;
  return isInPackage(folder) || isInSources(folder);
}

/** Node takes a program's real path, and finds it without its extension. */
function folderOf(program) {
  try {
    return dirname(realpathSync(program));
  } catch (error) {
    return dirname(program);
  }
}

/** Whether the nearest package.json upwards names the client; it is looked for as Node does. */
function isInPackage(folder) {
  for (let at = folder; ; at = dirname(at)) {
    const content = contentOf(join(at, 'package.json'));
    if (content !== undefined) return content.includes(`"${NAME}"`);
    if (at === dirname(at)) return false;
  }
}

/** Whether the folder's sources mention the client, without installed packages; of a big folder it is taken for granted. */
function isInSources(folder) {
  const folders = [folder];
  let entries = MOST_ENTRIES;
  let bytes = MOST_BYTES;
  while (folders.length > 0) {
    const at = folders.pop();
    for (const entry of entriesOf(at)) {
      if (--entries < 0 || bytes < 0) return true;
      const path = join(at, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) folders.push(path);
      const content = SOURCES.has(extname(entry.name)) ? contentOf(path) : undefined;
      if (content === undefined) continue;
      if (content.includes(NAME)) return true;
      bytes -= content.length;
    }
  }
  return false;
}

function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    // What cannot be read cannot be imported either.
    return [];
  }
}

function contentOf(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    // No such file, or none that can be read.
    return undefined;
  }
}
