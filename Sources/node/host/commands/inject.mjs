/**
 * The inject grammar of commands.json: what a command's function is called with.
 *
 * An entry is a path (`params.0`, `options.port`, `$state.users`), an array (the same path, key by key) or an object
 * whose members are entries. A word nobody knows is null; a path into something that lacks it is undefined, so a
 * function's default values work. Promises on the way are awaited.
 */
import { wordOf } from './params.mjs';

/**
 * @typedef {{param: object, words: object}} Scope `param`: the structured parameters of the call, whose own members
 *   come first; `words`: what this process provides (`$state`, `$container`, `pm` …), an object without a prototype of ours; `other` finds
 *   what was registered in the container
 * @typedef {(scope: Scope) => unknown} Resolver
 */

/**
 * Compiles an inject list once, so that a call only looks values up.
 * @param {unknown} inject an array of entries, or one object; anything else is an error
 * @returns {(scope: Scope) => unknown[] | Promise<unknown[]>}
 */
export function compileInject(inject) {
  const entries = Array.isArray(inject) ? inject : [inject];
  const resolvers = entries.map(compileEntry);
  return (scope) => settled(resolvers.map((resolve) => resolve(scope)));
}

/** @returns {Resolver} */
function compileEntry(entry) {
  if (typeof entry === 'string') return compilePath(entry.split('.'));
  if (Array.isArray(entry)) return compilePath(entry.map(keyOf));
  if (entry !== null && typeof entry === 'object') return compileMap(entry);
  throw new Error(`an inject entry must be a string, an array or an object, not ${JSON.stringify(entry)}`);
}

function keyOf(key) {
  if (typeof key === 'string' || typeof key === 'number') return String(key);
  throw new Error(`a key path must hold strings, not ${JSON.stringify(key)}`);
}

function compileMap(map) {
  const names = Object.keys(map);
  const resolvers = names.map((name) => compileEntry(map[name]));
  const assemble = (values) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
  return (scope) => {
    const values = settled(resolvers.map((resolve) => resolve(scope)));
    return isPromise(values) ? values.then(assemble) : assemble(values);
  };
}

function compilePath([first, ...rest]) {
  if (rest.length === 0) return (scope) => word(first, scope) ?? null;
  return (scope) => descend(word(first, scope), rest, 0);
}

function word(name, { param, words, other }) {
  if (name === '$param') return param;
  const own = wordOf(param, name);
  if (own !== undefined || Object.hasOwn(param, name)) return own;
  if (name in words) return words[name];
  return other?.(name);
}

function descend(value, keys, from) {
  for (let index = from; index < keys.length; index++) {
    if (isPromise(value)) return Promise.resolve(value).then((settledValue) => descend(settledValue, keys, index));
    value = value?.[keys[index]];
  }
  return value;
}

/** The values themselves when none is a promise: the usual case costs no turn of the event loop. */
function settled(values) {
  return values.some(isPromise) ? Promise.all(values) : values;
}

/** @param {unknown} value */
export function isPromise(value) {
  return value !== null && typeof value === 'object' && typeof value.then === 'function';
}
