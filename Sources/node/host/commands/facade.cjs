'use strict';
/** `$container`: what the commands of a container see of it, with the members that containers of the reference have. */
const { methodNotFound } = require('../../client/wire/errors.cjs');
const { inverted, Middlewares } = require('./middleware.cjs');

/** Commands that every container has. */
const BUILT_IN = ['$serve', '$attach', '$metadata'];

class Facade {
  #container;
  #values = new Map();
  #waiting = new Map();

  #trusted;

  /**
   * @param {import('./container.mjs').Container} container
   * @param {{structured: Function, trusted: Function}} params make structured parameters (params.mjs)
   */
  constructor(container, { structured, trusted }) {
    this.#container = container;
    this.#trusted = trusted;
    /** Middlewares that take part in every command. */
    this.processor = new Middlewares(container.name);
    this.structured = structured;
  }

  /** The container was read again: what was registered in it stays. */
  rebind(container) {
    this.#container = container;
    for (const [name, value] of this.#values) if (isCommand(value)) this.#adopt(name, value);
  }

  get name() {
    return this.#container.name;
  }

  get state() {
    return this.#container.state;
  }

  /** The injector of the program's `@akala/core`, where it has one. */
  get parent() {
    return globalThis.$$defaultInjector ?? null;
  }

  get commands() {
    return this.#container.metadata.commands;
  }

  /**
   * Calls a command.
   * @param {string | {name: string}} command
   * @param {...unknown} params positional, or structured ones
   */
  async dispatch(command, ...params) {
    const name = typeof command === 'string' ? command : command.name;
    if (name === '$metadata') return this.#container.metadata;
    const found = this.#container.command(name);
    if (found !== undefined) return this.#container.dispatch(name, ...params);
    return this.#nested(name)?.dispatch(name.slice(name.indexOf('.') + 1), ...params) ?? Promise.reject(methodNotFound(name));
  }

  /**
   * The same, as triggers and middlewares of the reference call it.
   * @param {unknown} _origin
   * @param {string | {name: string}} command
   * @param {...unknown} params positional; or one object of structured parameters, as whoever calls within this process means it
   * @returns {Promise<unknown>} rejects with the result, resolves with the error
   */
  handle(_origin, command, ...params) {
    const isStructured = params.length === 1 && Array.isArray(params[0]?.params);
    return inverted(() => this.dispatch(command, ...(isStructured ? [this.#trusted(params[0])] : params)));
  }

  /**
   * Registers a command, a container, or any other value that can be injected by its name.
   * @param {string | {name: string}} nameOrItem
   * @param {unknown} [value] with an item: whether it takes the place of another one
   * @param {boolean} [override]
   */
  register(nameOrItem, value, override) {
    if (typeof nameOrItem !== 'string') return this.register(nameOrItem.name, nameOrItem, Boolean(value));
    if (value === undefined) throw new TypeError('value cannot be undefined');
    if (!override && (this.#values.has(nameOrItem) || this.#container.command(nameOrItem) !== undefined) && !BUILT_IN.includes(nameOrItem)) {
      throw new Error(`There is already a registered item for ${nameOrItem}`);
    }
    this.#values.set(nameOrItem, value);
    if (isCommand(value)) this.#adopt(nameOrItem, value);
    for (const tell of this.#waiting.get(nameOrItem) ?? []) tell(value);
    this.#waiting.delete(nameOrItem);
    return value;
  }

  /** Registers what a property descriptor describes. */
  registerDescriptor(name, descriptor, override) {
    return this.register(name, descriptor.get === undefined ? descriptor.value : descriptor.get(), override);
  }

  /** Registers what a function makes. */
  registerFactory(name, make, override) {
    return this.register(name, make(), override);
  }

  unregister(name) {
    this.#values.delete(name);
    this.#container.remove(name);
  }

  /**
   * What is registered under a name, or at a path of names; a command as `{name, config}`.
   * @param {string | string[]} path
   * @returns {unknown} null when there is nothing
   */
  resolve(path) {
    if (Array.isArray(path)) return path.slice(1).reduce((value, key) => value?.[key], this.resolve(path[0])) ?? null;
    const own = this.#own(path);
    if (own !== undefined) return own;
    const dot = typeof path === 'string' ? path.indexOf('.') : -1;
    if (dot > 0) {
      const nested = this.#nested(path);
      const rest = path.slice(dot + 1);
      const found = nested === undefined ? rest.split('.').reduce((value, key) => value?.[key], this.#own(path.slice(0, dot))) : nested.resolve?.(rest);
      if (found !== undefined && found !== null) return found;
    }
    return this.parent?.resolve(path) ?? null;
  }

  #own(name) {
    if (name === '$injector' || name === '$container') return this;
    if (this.#values.has(name)) return this.#values.get(name);
    const command = this.#container.command(name);
    if (command !== undefined) return command.metadata;
    if (BUILT_IN.includes(name)) return { name, config: { '': {} } };
    return name in this.#container.words ? this.#container.words[name] : undefined;
  }

  #nested(name) {
    const value = this.#values.get(String(name).split('.', 1)[0]);
    return typeof value?.dispatch === 'function' ? value : undefined;
  }

  /** The names of all that is registered. */
  keys() {
    return [...new Set(['$injector', '$container', '$state', ...BUILT_IN, ...this.commands.map(({ name }) => name), ...this.#values.keys()])];
  }

  /** Calls the handler, or resolves, as soon as something is registered under a name. */
  onResolve(name, handler) {
    if (handler === undefined) return new Promise((resolve) => this.onResolve(name, resolve));
    const value = this.resolve(name);
    if (value !== null && value !== undefined) return handler(value);
    if (!this.#waiting.has(name)) this.#waiting.set(name, []);
    this.#waiting.get(name).push(handler);
    return this.parent?.onResolve?.(name, handler);
  }

  /** A function that calls another one with what is registered under names. */
  injectWithName(names, run) {
    const container = this;
    return function (...others) {
      return run.apply(this, [...names.map((name) => container.resolve(name)), ...others]);
    };
  }

  inject(...names) {
    return (run) => this.injectWithName(names, run);
  }

  injectWithNameAsync(names, run) {
    return async (instance) => run.apply(instance, await Promise.all(names.map((name) => this.onResolve(name))));
  }

  /** Lets a trigger make the commands reachable its own way; a name means one that was registered with `trigger`. */
  attach(trigger, ...targets) {
    if (typeof trigger?.register === 'function') return trigger.register(this, ...targets);
    if (typeof trigger === 'function') return trigger(this, ...targets);
    throw new Error(`There is no registered trigger named ${String(trigger?.name ?? trigger)}`);
  }

  inspect() {
    process.stderr.write(`pm: ${this.name}: ${this.keys().join(' ')}\n`);
  }

  toJSON() {
    return { name: this.name };
  }

  #adopt(name, definition) {
    this.#container.remove(name);
    const { config, handler, inject } = definition;
    // A function with a name and what to inject is a command like those of files.
    if (typeof handler === 'function') this.#container.register({ name, config: { ...config, '': { inject, ...config?.[''] } } }, handler);
    else this.#container.add(new RegisteredCommand(definition));
  }
}

/** A command that was registered as an object: its function, its own processor or the container's middlewares run it. */
class RegisteredCommand {
  #definition;

  constructor(definition) {
    this.#definition = definition;
    this.name = definition.name;
    this.config = definition.config ?? {};
  }

  get metadata() {
    return { name: this.name, config: this.config };
  }

  get isRemote() {
    return this.config.jsonrpc !== false;
  }

  async load() {}

  /** @returns {{priority: number, middleware: object}[]} */
  get middlewares() {
    const { processor } = this.#definition;
    return typeof processor?.handle === 'function' ? [{ priority: 10, middleware: processor }] : [];
  }

  /** The definition, as middlewares get it. */
  get definition() {
    return this.#definition;
  }
}

/** A value that is a command, and no container. */
function isCommand(value) {
  return value !== null && typeof value === 'object' && typeof value.name === 'string' && value.config !== null
    && typeof value.config === 'object' && typeof value.dispatch !== 'function';
}

module.exports = { Facade };
