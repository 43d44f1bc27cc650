/** A container: a name, commands, and the state they share. */
import { Command } from './command.mjs';
import { methodNotFound } from './errors.mjs';

/** Commands every container has by itself; a definition of the same name is ignored. */
const BUILT_IN = new Set(['$serve', '$attach', '$metadata']);

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
    const facade = { name, state: this.state, dispatch: (command, ...params) => this.dispatch(command, ...params) };
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
   * Imports the files of all commands, so that the first calls are as quick as later ones and start in the order they
   * came. What cannot be imported is reported on stderr, and is an error of the calls to that command alone.
   */
  async load() {
    await Promise.all([...this.#commands.values()].map((command) => command.load().catch(report)));
  }

  /**
   * Calls a command from within this process.
   * @param {string} name
   * @param {...unknown} params positional, or one object `{params: [...], _trigger, options …}`
   * @returns {unknown} what the command returned
   * @throws methodNotFound, or whatever the command throws
   */
  dispatch(name, ...params) {
    const command = this.command(name);
    if (command === undefined) throw methodNotFound(name);
    const structured = params.length === 1 && Array.isArray(params[0]?.params);
    return command.invoke(structured ? params[0] : { params });
  }
}

function report(error) {
  process.stderr.write(`pm: ${error?.message ?? error}\n`);
}
