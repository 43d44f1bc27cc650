/** A container: a name, commands, and the state they share. */
import { Command } from './command.mjs';
import { isStructured, structured } from './params.mjs';
import { methodNotFound } from './wire.mjs';

/** Commands every container has by itself; a definition of the same name is ignored. */
const BUILT_IN = new Set(['$serve', '$attach', '$metadata']);
/** Commands that nobody outside pm can call. */
const INTERNAL = new Set(['$init', '$stop', '$reload']);

export class Container {
  #commands = new Map();
  #aliases = new Map();

  /**
   * @param {string} name
   * @param {{pm?: object, config?: unknown}} provided injectable words beside those of the container itself
   */
  constructor(name, provided) {
    this.name = name;
    /** `this` of every command. */
    this.state = {};
    const facade = { name, state: this.state, dispatch: (command, ...params) => this.dispatch(command, ...params), structured };
    /** What every command can be injected with. */
    this.words = { ...provided, $container: facade, $state: this.state };
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

  /**
   * Goes on with the state of a container that this one takes the place of.
   * @param {Container} former
   */
  inherit(former) {
    this.state = former.state;
    this.words = { ...this.words, $state: former.state, $container: { ...this.words.$container, state: former.state } };
  }

  /** `{name, commands: [{name, config}]}`: what the daemon and clients learn about this container. */
  get metadata() {
    return { name: this.name, commands: [...this.#commands.values()].map((command) => command.metadata) };
  }

  /**
   * The same for callers that come from outside pm: nothing that they cannot call, and nothing of where files lie.
   */
  get publicMetadata() {
    const commands = [...this.#commands.values()].filter(({ name, isRemote }) => isRemote && !INTERNAL.has(name));
    return { name: this.name, commands: commands.map(({ metadata }) => ({ name: metadata.name, config: withoutPlaces(metadata.config) })) };
  }

  /**
   * Imports the files of all commands, so that the first calls are as quick as later ones and start in the order they
   * came. What cannot be imported is reported on stderr, and is an error of the calls to that command alone.
   */
  async load() {
    await Promise.all([...this.#commands.values()].map((command) => command.load().catch(report)));
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
    return command.invoke(params.length === 1 && isStructured(params[0]) ? params[0] : { params });
  }
}

/** A configuration without `fs` and without the URLs of files. */
function withoutPlaces(value) {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([key, member]) => key !== 'fs' && !(typeof member === 'string' && /^file:/i.test(member)));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutPlaces(member)]));
}

function report(error) {
  process.stderr.write(`pm: ${error?.message ?? error}\n`);
}
