/** A container: a name, commands, and the state they share. */
import { Command } from './command.mjs';
import { isStructured, structured, trusted } from './params.mjs';
import { errorWithStatus, facade, methodNotFound, middleware } from '../wire.mjs';

/** Commands every container has by itself; a definition of the same name is ignored. */
const BUILT_IN = new Set(['$serve', '$attach', '$metadata']);
/** The priority of a command's own function among the middlewares of its container, as the reference has it. */
const OWN = 20;
/** Commands that nobody outside pm can call. */
const INTERNAL = new Set(['$init', '$stop', '$reload']);

export class Container {
  #commands = new Map();
  #aliases = new Map();
  /** What strangers are told, until it changes. */
  #public;
  /** What a middleware, or the program, has registered by name; undefined while there is nothing. */
  other;
  #facade;

  /**
   * @param {string} name
   * @param {{pm?: object, config?: unknown}} provided injectable words beside those of the container itself
   */
  constructor(name, provided) {
    this.name = name;
    /** `this` of every command. */
    this.state = {};
    /** What every command can be injected with. No name of `Object.prototype` is one of them. */
    this.words = Object.assign(Object.create(null), provided);
    const define = (word, get) => Object.defineProperty(this.words, word, { enumerable: true, get });
    define('$container', () => this.facade);
    define('$injector', () => this.facade);
    define('$state', () => this.state);
  }

  /** The container as its commands see it. */
  get facade() {
    if (this.#facade === undefined) this.#use(new (facade().Facade)(this, { structured, trusted }));
    return this.#facade;
  }

  #use(facade) {
    this.#facade = facade;
    this.other = (name) => facade.resolve(name) ?? undefined;
  }

  /**
   * Adds a command, unless one of that name is there already.
   * @param {{name: string, config?: object}} definition
   * @param {URL | Function | undefined} source
   */
  register(definition, source) {
    this.add(new Command(this, definition, source));
  }

  /**
   * Adds a command that is made already, unless one of that name is there.
   * @param {Pick<Command, 'name' | 'config' | 'metadata' | 'isRemote' | 'load' | 'invoke'>} command
   */
  add(command) {
    if (BUILT_IN.has(command.name) || this.#commands.has(command.name)) return;
    this.#commands.set(command.name, command);
    this.#public = undefined;
    const alias = command.config.jsonrpc?.name;
    if (typeof alias === 'string' && !this.#aliases.has(alias)) this.#aliases.set(alias, command);
  }

  /**
   * @param {string} name
   * @returns {Command | undefined} by its name, or by the name it has on the wire (`config.jsonrpc.name`)
   */
  command(name) {
    return this.#commands.get(name) ?? this.#aliases.get(name);
  }

  /** Takes a command away. */
  remove(name) {
    const command = this.#commands.get(name);
    this.#commands.delete(name);
    this.#public = undefined;
    for (const [alias, other] of this.#aliases) if (other === command) this.#aliases.delete(alias);
  }

  /**
   * Goes on with the state of a container that this one is to take the place of, and with what was registered in it.
   * Callers within the process still reach the former one.
   * @param {Container} former
   */
  inherit(former) {
    this.state = former.state;
    if (former.#facade !== undefined) this.#use(former.#facade);
  }

  /**
   * Takes the place of a container for callers within the process too, once this one can be called.
   * @param {Container} former
   */
  replace(former) {
    if (former.#facade === undefined) return;
    this.#use(former.#facade);
    this.#facade.rebind(this);
  }

  /** `{name, commands: [{name, config}]}`: what the daemon and clients learn about this container. */
  get metadata() {
    return { name: this.name, commands: [...this.#commands.values()].map((command) => command.metadata) };
  }

  /**
   * The same for callers that come from outside pm: nothing that they cannot call, and nothing of where files lie.
   */
  get publicMetadata() {
    if (this.#public === undefined) {
      const commands = [...this.#commands.values()].filter(({ name, isRemote }) => isRemote && !INTERNAL.has(name));
      this.#public = commands.map(({ metadata }) => ({ name: metadata.name, config: withoutPlaces(metadata.config) }));
    }
    return { name: this.name, commands: this.#public };
  }

  /**
   * Imports the files of all commands, so that the first calls are as quick as later ones and start in the order they
   * came, and checks what they are injected with.
   * @throws when a command could not be called: a service with such a command is not ready
   */
  async load() {
    const results = await Promise.allSettled([...this.#commands.values()].map((command) => command.prepare?.() ?? command.load()));
    const rejections = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
    if (rejections.length > 1) throw gathered(rejections);
    if (rejections.length === 1) throw rejections[0];
  }

  /**
   * Calls a command from within this process.
   * @param {string} name
   * @param {...unknown} params positional; or one object of structured parameters that `$container.structured` or pm itself has made. What
   *   merely looks like some is an argument: it may come from a caller.
   * @returns {unknown} what the command returned
   * @throws methodNotFound, or whatever the command throws
   */
  dispatch(name, ...params) {
    const command = this.command(name);
    if (command === undefined) throw methodNotFound(name);
    return this.run(command, params.length === 1 && isStructured(params[0]) ? params[0] : { params });
  }

  /**
   * Runs a command, within the middlewares of the container, if it has some.
   * @param {Command} command
   * @param {{params: unknown[]}} param structured parameters
   */
  run(command, param) {
    const processor = this.#facade?.processor;
    if (command.middlewares === undefined && (processor === undefined || processor.isEmpty)) return command.invoke(param);
    const { inverted, upright } = middleware();
    const own = command.middlewares ?? [{ priority: OWN, middleware: { handle: () => inverted(() => command.invoke(param)) } }];
    const handled = this.facade.processor.handleWith(own, [this.facade, command.definition ?? command.metadata, param]);
    return upright(handled).catch((error) => Promise.reject(error ?? errorWithStatus(501, `nothing runs the command ${command.name} of ${this.name}`)));
  }
}

/** A configuration without `fs` and without the URLs of files. */
function withoutPlaces(value) {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([key, member]) => key !== 'fs' && !(typeof member === 'string' && /^file:/i.test(member)));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutPlaces(member)]));
}

/** One error of several commands, with the text of each for the log. */
function gathered(rejections) {
  const error = errorWithStatus(500, rejections.map((failure) => failure?.message ?? String(failure)).join('\n'));
  return Object.defineProperty(error, 'all', { value: rejections });
}
