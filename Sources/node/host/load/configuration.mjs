/**
 * `context.state`: what a container keeps. It begins as the `config` of its mapping, with what the container has committed before
 * over it; members are read and written as such, or by paths: `get('a.b')`, `set('a.b', 1)`, `commit()`.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseJSON } from './json.mjs';

class Configuration {
  #value;
  #file;

  constructor(value, file) {
    this.#value = value;
    this.#file = file;
  }

  /**
   * @param {string} [path] members, separated by dots; none means all
   * @returns {unknown} a list or a plain value; an object as a configuration of its own, whose changes count here as well
   */
  get(path) {
    const value = parts(path).reduce((from, key) => (isObject(from) && Object.hasOwn(from, key) ? from[key] : undefined), this.#value);
    return isObject(value) ? wrapped(new Configuration(value, this.#file)) : value;
  }

  has(path) {
    return this.get(path) !== undefined;
  }

  /** Sets a value; objects on the way are made. */
  set(path, value) {
    const keys = parts(path);
    const last = keys.pop();
    let place = this.#value;
    for (const key of keys) place = Object.hasOwn(place, key) && isObject(place[key]) ? place[key] : define(place, key, {});
    define(place, last, plain(value));
  }

  delete(path) {
    const keys = parts(path);
    const last = keys.pop();
    const place = keys.reduce((from, key) => (isObject(from) && Object.hasOwn(from, key) ? from[key] : undefined), this.#value);
    if (isObject(place)) delete place[last];
  }

  /** A copy of all as plain values. */
  extract() {
    return plain(this.#value);
  }

  toJSON() {
    return this.#value;
  }

  /** Keeps all of it for the next start. */
  async commit() {
    const { path, root } = this.#file;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Written beside and renamed: whoever reads it finds all of it, old or new.
    writeFileSync(`${path}.new`, `${JSON.stringify(root, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

/**
 * @param {unknown} config of the mapping
 * @param {string} path of the file with what was committed
 */
export function openConfiguration(config, path) {
  const root = merged(isObject(config) ? plain(config) : {}, committed(path));
  return wrapped(new Configuration(root, { path, root }));
}

function committed(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // Nothing was committed yet.
    if (error.code === 'ENOENT') return {};
    throw error;
  }
  return parseJSON(text, path);
}

function merged(below, above) {
  for (const [key, value] of Object.entries(above)) {
    define(below, key, isObject(value) && Object.hasOwn(below, key) && isObject(below[key]) ? merged(below[key], value) : value);
  }
  return below;
}

/** Members that are no methods are those of what is kept. */
function wrapped(configuration) {
  return new Proxy(configuration, {
    get: (target, key) => {
      const own = target[key];
      if (typeof own === 'function') return own.bind(target);
      return typeof key === 'symbol' || key === 'then' ? own : target.get([key]);
    },
    set: (target, key, value) => {
      target.set([key], value);
      return true;
    },
    has: (target, key) => key in target || (typeof key === 'string' && target.has([key])),
    deleteProperty: (target, key) => {
      target.delete([key]);
      return true;
    },
    ownKeys: (target) => Object.keys(target.toJSON()),
    getOwnPropertyDescriptor: (target, key) => {
      return Object.hasOwn(target.toJSON(), key) ? { enumerable: true, configurable: true, value: target.get([key]) } : undefined;
    },
  });
}

function parts(path) {
  if (Array.isArray(path)) return [...path];
  return path === undefined || path === '' ? [] : String(path).split('.');
}

/** As an own member, whatever its name. */
function define(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  return value;
}

function plain(value) {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
