/**
 * Makes `@akala/pm` resolve to the client that comes with pm in a service that has not installed it. One that is
 * installed wins: we are asked only when Node finds none.
 */
import { readFileSync } from 'node:fs';
import Module from 'node:module';

const NAME = '@akala/pm';
const ESM = new URL('../client/index.mjs', import.meta.url).href;
const COMMONJS = new URL('../client/index.cjs', import.meta.url);

/**
 * Node >= 22.15 has hooks that cost nothing. Before, `require` is covered by wrapping its resolver, and `import` by a
 * loader thread of 10 MB, which is started only if a package.json above the program mentions the client.
 * @param {URL} program
 */
export function provideClient(program) {
  if (Module.registerHooks !== undefined) {
    Module.registerHooks({ resolve: fallBack });
    return;
  }
  const resolveFilename = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    if (request !== NAME) return resolveFilename.call(this, request, ...rest);
    try {
      return resolveFilename.call(this, request, ...rest);
    } catch {
      // Not installed: ours.
      return decodeURIComponent(COMMONJS.pathname);
    }
  };
  if (isMentioned(program)) Module.register?.(new URL('./client-loader.mjs', import.meta.url));
}

function fallBack(specifier, context, next) {
  if (specifier !== NAME) return next(specifier, context);
  try {
    return next(specifier, context);
  } catch {
    const isImport = context.conditions.includes('import');
    return { url: isImport ? ESM : COMMONJS.href, format: isImport ? 'module' : 'commonjs', shortCircuit: true };
  }
}

function isMentioned(program) {
  for (let folder = new URL('.', program); ; folder = new URL('..', folder)) {
    try {
      return readFileSync(new URL('package.json', folder), 'utf8').includes(`"${NAME}"`);
    } catch {
      // None here: the next one up, as Node looks for it.
    }
    if (folder.pathname === '/') return false;
  }
}
