'use strict';
/**
 * `sidecar()` of an installed `@akala/pm` of the reference asks the injection module `@akala/pm` of `@akala/core` for its
 * connection to pm, which the reference's host registers there. Here the same is done where a program has both. It runs
 * in Node >= 12, as client.cjs does.
 */
const { existsSync, readFileSync, realpathSync } = require('fs');
const Module = require('module');
const { dirname, join } = require('path');
const { pathToFileURL } = require('url');

/**
 * @param {string} program the path of the program
 * @param {() => object} connection gives the container of pm
 * @returns {Promise<void> | undefined} resolves when ES modules find it; CommonJS modules find it at once; undefined when there is nothing to do
 */
exports.offerConnection = function (program, connection) {
  const core = coreOf(program);
  if (core === undefined) return undefined;
  const [required, imported] = [entryOf(core, 'require'), entryOf(core, 'import')];
  const register = (exported) => {
    if (exported !== undefined && typeof exported.module === 'function') exported.module('@akala/pm').register('container', connection(), true);
  };
  // Only a program that requires the client loads the CommonJS form of it: there are two of all that is registered.
  if (required !== undefined) beforeFirst('@akala/pm', () => register(Module.createRequire(core)(required)));
  return imported === undefined ? undefined : import(pathToFileURL(imported).href).then(register).catch(report);
};

/** The folder of the `@akala/core` that the installed `@akala/pm` uses; undefined when one of them is not installed. */
function coreOf(program) {
  const client = packageOf(program, '@akala/pm');
  const core = client === undefined ? undefined : packageOf(join(client, 'package.json'), '@akala/core');
  return core === undefined ? undefined : join(core, 'package.json');
}

/** As Node looks for packages. Links are followed, because what is beside their targets counts. */
function packageOf(file, name) {
  for (let at = dirname(real(file)); ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return real(folder);
    if (at === dirname(at)) return undefined;
  }
}

function real(path) {
  try {
    return realpathSync(path);
  } catch (error) {
    // Node finds a program without its extension, too: the folder is the same.
    return path;
  }
}

/** The file that a package exports for a condition; undefined when it has none. */
function entryOf(manifest, condition) {
  const { exports: exported, main } = JSON.parse(readFileSync(manifest, 'utf8'));
  const root = exported !== null && typeof exported === 'object' && '.' in exported ? exported['.'] : exported;
  const path = exported === undefined ? (condition === 'require' ? main || 'index.js' : undefined) : chosen(root, ['node', condition, 'default']);
  const file = path === undefined ? undefined : join(dirname(manifest), path);
  return file !== undefined && existsSync(file) ? file : undefined;
}

/** The first of the conditions, in the package's own order, as Node takes it. */
function chosen(target, conditions) {
  if (typeof target === 'string') return target;
  if (target === null || typeof target !== 'object') return undefined;
  for (const key of Object.keys(target)) {
    const found = conditions.includes(key) ? chosen(target[key], conditions) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Runs something before a module is required for the first time. */
function beforeFirst(name, run) {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    if (request === name) {
      Module._load = load;
      try {
        run();
      } catch (error) {
        report(error);
      }
    }
    return load.call(this, request, ...rest);
  };
}

function report(error) {
  process.stderr.write(`pm: sidecar() of the installed @akala/pm gets no connection: ${error && error.message}\n`);
}
