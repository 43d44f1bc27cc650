/**
 * What plugins of the reference's command line get as `program`: its commands become commands of pm. What has no meaning here (`use`, a command without a
 * name) is refused.
 */
import { parseArguments } from '../commands/options.mjs';
import { errorWithStatus } from '../wire.mjs';
import { defaultsOf } from './plugin.mjs';

/** Words that name a command, and then the parameters: `db migrate <target>`. */
const USAGE = /^([a-z0-9-]+(?: [a-z0-9-]+)*)((?: [<[].*)?)$/i;

export class Program {
  #name;
  #usage;
  #description;
  #options = {};
  #children = new Map();
  #before = [];
  #action;
  #format;

  constructor(name, usage, description) {
    this.#name = name;
    this.#usage = usage;
    this.#description = description;
  }

  /**
   * A command, `greet <who> [title]`, or one below others, `db migrate <target>`.
   * @param {string} usage
   * @param {string} [description]
   * @returns {Program}
   */
  command(usage, description) {
    const [, words, parameters] = USAGE.exec(usage ?? '') ?? [];
    if (words === undefined) throw new Error(`${usage} must be names of commands, then <parameters>`);
    const names = words.split(' ');
    const [first] = names;
    if (names.length > 1) return this.command(first).command(usage.slice(first.length + 1), description);
    const known = this.#children.get(first);
    if (known !== undefined && parameters === '' && description === undefined) return known;
    const child = new Program(first, `${first}${parameters}`, description);
    this.#children.set(first, child);
    return child;
  }

  option(name, about = {}) {
    if (name === undefined) return (...all) => this.option(...all);
    this.#options[name] = about;
    return this;
  }

  options(all) {
    Object.assign(this.#options, all);
    return this;
  }

  state() {
    return this;
  }

  preAction(handle) {
    this.#before.push(handle);
    return this;
  }

  action(handle) {
    this.#action = handle;
    return this;
  }

  format(handle) {
    this.#format = handle;
    return this;
  }

  use() {
    throw new Error('pm takes only commands from a plugin of the reference: program.use is not possible');
  }

  /** Registers the commands of this program: those below others are found by the first words of a call. */
  register(register) {
    for (const [name, child] of this.#children) child.#registerAs(name, register, [this]);
  }

  #registerAs(name, register, above) {
    const doc = this.#description === undefined ? {} : { doc: { description: this.#description } };
    if (this.#children.size > 0) {
      register(name, doc, undefined, (...words) => this.#find(words, above));
      return;
    }
    const options = Object.assign({}, ...above.map((program) => program.#options), this.#options);
    const cli = { usage: this.#usage, options, inject: ['options', 'context'] };
    register(name, { cli, ...doc }, ['params.0', 'params.1', 'signal'], (given, context, signal) => this.#run({ ...context, options: { ...given }, signal }, above));
  }

  /** Runs the command that the first words name. */
  #find(words, above) {
    const child = this.#children.get(words[0]);
    if (child !== undefined) return child.#find(words.slice(1), [...above, this]);
    if (this.#action === undefined) {
      const known = [...this.#children.keys()].join(', ');
      throw errorWithStatus(404, `${this.#name} has no command ${words[0] ?? 'without a name'}; it has ${known}`);
    }
    const options = Object.assign({}, ...above.map((program) => program.#options), this.#options);
    const parsed = parseArguments(words.map(String), { usage: this.#usage, options });
    return this.#run({ args: parsed.params, options: parsed.options, currentWorkingDirectory: process.cwd() }, [...above]);
  }

  async #run({ signal, ...given }, above) {
    if (this.#action === undefined) throw errorWithStatus(501, `the plugin has no action for ${this.#name}`);
    const abort = new AbortController();
    signal?.addEventListener('abort', () => abort.abort(), { once: true });
    const options = { ...defaultsOf(this.#options), ...given.options };
    const context = { args: [], argv: process.argv, state: {}, logger: console, commandPath: this.#name, abort, ...given, options };
    for (const program of [...above, this]) for (const handle of program.#before) await handle(context);
    const result = await this.#action(context);
    return this.#format === undefined ? result : this.#format(result, context);
  }
}
