'use strict';

/** Containers: commands by name, of this process or of a service. */
const { errorWithStatus } = require('./wire/errors.cjs');
const { attachHttp } = require('./http-trigger.cjs');
const { inverted, positional, resolved } = require('./injection.cjs');
const { announce, DEFINITIONS, importFunction, serve, sourceOf } = require('./served.cjs');
const { isStream } = require('./wire/streams.cjs');

/** How often a call that changes nothing is tried, and the first pause between, in milliseconds. */
const ATTEMPTS = 5;
const PAUSE = 50;
/** Methods of the daemon that change nothing. */
const QUESTIONS = new Set(['$metadata', 'ls', 'name', 'status', 'version']);

/** Commands of this process, and those of others that were registered in it. */
class Container {
  #commands = new Map();

  /**
   * @param {string} name
   * @param {unknown} [state] `this` of commands whose functions are in files
   */
  constructor(name, state) {
    this.name = name;
    this.state = state;
    if (new.target !== RemoteContainer) announce();
  }

  /** What can be called: `[{name, config}]`. */
  get commands() {
    return [...this.#commands.values()].map(({ name, config }) => ({ name, config }));
  }

  /** Name and commands, as `$metadata` tells them. */
  get metadata() {
    return { name: this.name, commands: this.commands };
  }

  /**
   * Registers a command, in place of an earlier one of its name.
   * @param {string | {name: string, config?: object}} command
   * @param {Function} [run] called with the parameters; without one `config.fs.path` names the file that exports it by default, relative to
   *   the file that registers it
   */
  register(command, run) {
    const { name, config = {} } = typeof command === 'string' ? { name: command } : command;
    const path = config.fs?.path;
    if (typeof name !== 'string' || (typeof run !== 'function' && (run !== undefined || typeof path !== 'string'))) {
      throw new TypeError('register needs a name and a function, or the path of a file: {name, config: {fs: {path}}}');
    }
    const source = run === undefined ? sourceOf(path, this.register) : undefined;
    this.#commands.set(name, { name, config, source, run: run ?? ((...params) => this.#runFile({ name, config, source }, params)) });
    return this;
  }

  async #runFile({ name, config, source }, params) {
    const run = await importFunction(source, name);
    const words = { params, $state: this.state, $container: this };
    const inject = config['']?.inject;
    return run.apply(this.state, Array.isArray(inject) ? await Promise.all(inject.map((word) => resolved(word, words))) : params);
  }

  /** The commands with their functions, for the host that serves them. */
  [DEFINITIONS]() {
    return [...this.#commands.values()].map(({ name, config, run, source }) => ({ name, config, source: source ?? run }));
  }

  /**
   * Makes this container the service that pm has started this program as.
   * @throws statusCode 503 in a program that pm has not started as a commandable service
   */
  async serve() {
    return serve(this);
  }

  /**
   * Registers all commands of another container; a call here is a call there.
   * @param {Container | {name?: string, commands: object[], dispatch: Function}} other
   * @param {(command: {name: string, config: object}) => boolean} [condition] which of them
   */
  registerMultiple(other, condition = () => true) {
    const { commands } = other?.metadata ?? other ?? {};
    if (!Array.isArray(commands) || typeof other.dispatch !== 'function') {
      throw new TypeError('registerMultiple needs a container that tells its commands');
    }
    for (const { name, config } of commands.filter((command) => !command.name.startsWith('$') && condition(command))) {
      this.register({ name, config }, (...params) => other.dispatch(name, ...params));
    }
    return this;
  }

  /**
   * Calls a command.
   * @param {string} command
   * @param {...unknown} params
   * @returns {Promise<unknown>}
   */
  async dispatch(command, ...params) {
    if (command === '$metadata') return this.metadata;
    const found = this.#commands.get(command);
    if (found !== undefined) return found.run(...params);
    const info = `no handler found for method ${command}`;
    throw errorWithStatus(404, `Method not found: ${info}`, { code: -32601, data: { info } });
  }

  /** The names of the commands. */
  keys() {
    return this.commands.map(({ name }) => name);
  }

  /** A command as `{name, config}`; null when there is none of that name. */
  resolve(name) {
    return this.commands.find((command) => command.name === name) ?? null;
  }

  /** Takes a command away. */
  unregister(name) {
    this.#commands.delete(name);
  }

  /**
   * Calls a command as triggers of the reference do.
   * @param {unknown} _origin
   * @param {string | {name: string, config?: object}} command
   * @param {...unknown} params positional, or one object of structured parameters
   * @returns {Promise<unknown>} rejects with the result, resolves with the error
   */
  handle(_origin, command, ...params) {
    return inverted(async () => {
      const { name, config } = typeof command === 'string' ? this.resolve(command) ?? { name: command } : command;
      const [param] = params;
      const isStructured = params.length === 1 && Array.isArray(param?.params);
      const found = isStructured ? await positional(config, param) : undefined;
      return this.dispatch(name, ...(found ?? (isStructured ? param.params : params)));
    });
  }

  /**
   * Makes the commands reachable another way: `attach('http', router)` for those with an `http` configuration, or a
   * trigger of @akala/commands or of one's own: an object with `register(container, …)`, or a function.
   * @param {'http' | {register: Function} | Function} trigger
   * @param {...unknown} targets
   */
  attach(trigger, ...targets) {
    if (trigger === 'http') return attachHttp(this, ...targets);
    if (typeof trigger?.register === 'function') return trigger.register(this, ...targets);
    if (typeof trigger === 'function') return trigger(this, ...targets);
    throw new TypeError(`there is no trigger ${String(trigger?.name ?? trigger)}`);
  }
}

/** The commands of a service, or of the daemon. */
class RemoteContainer extends Container {
  #open;
  #options;
  #known;

  /**
   * @param {{name: string, commands?: object[]}} metadata
   * @param {import('./link.cjs').Link} link
   * @param {import('./rpc.cjs').CallOptions} [options] of every call
   */
  constructor(metadata, link, options = {}) {
    super(metadata.name, undefined);
    this.#open = link;
    this.#options = options;
    this.#known = metadata.commands ?? [];
  }

  get commands() {
    const own = super.commands;
    return [...this.#known.filter(({ name }) => !own.some((command) => command.name === name)), ...own];
  }

  /**
   * The same service with other options for its calls.
   * @param {import('./rpc.cjs').CallOptions} options
   */
  with(options) {
    return new RemoteContainer({ name: this.name, commands: this.#known }, this.#open, { ...this.#options, ...options });
  }

  /** A call that the service answers as an error rejects with that error. */
  async dispatch(command, ...params) {
    if (super.commands.some(({ name }) => name === command)) return super.dispatch(command, ...params);
    const isStructured = params.length === 1 && Array.isArray(params[0]?.params);
    // A stream can be read once.
    const mayRepeat = this.#changesNothing(command) && !params.some(isStream);
    for (let attempt = 1; ; attempt++) {
      try {
        const rpc = await this.#open.get(this.#options);
        return await rpc.call(command, isStructured ? params[0] : params, this.#options);
      } catch (error) {
        if (!mayRepeat || error?.retry !== true || attempt === ATTEMPTS) throw error;
      }
      await pause(PAUSE * 2 ** (attempt - 1), this.#options.signal);
    }
  }

  /** Asks what it offers now, and tells it. */
  async refresh() {
    const metadata = await this.dispatch('$metadata', true);
    this.#known = metadata.commands;
    return metadata;
  }

  /** The service was started again, or has other commands: it may be reached in another way, too. */
  async renew() {
    this.#open.renew();
    return this.refresh();
  }

  /** Ends its connection; the next call opens another. */
  close() {
    this.#open.close();
  }

  /** Questions of the daemon, and what a service calls idempotent. */
  #changesNothing(command) {
    if (command === '$metadata' || (this.name === 'pm' && QUESTIONS.has(command))) return true;
    const config = this.#known.find(({ name }) => name === command)?.config;
    return config?.['']?.idempotent === true || config?.jsonrpc?.idempotent === true;
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', abort, { once: true });
    return undefined;
  });
}

module.exports = { Container, RemoteContainer };
