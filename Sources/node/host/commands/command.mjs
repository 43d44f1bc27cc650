/** One command of a container: where its function is, and what it is called with. */
import { compileInject, isPromise } from './inject.mjs';
import { importCommand } from '../load/script.mjs';
import { errorWithStatus } from '../wire.mjs';
import { problemOfWords } from '../load/words.mjs';

export class Command {
  #container;
  #source;
  #run;
  #plans = new Map();

  /**
   * @param {import('./container.mjs').Container} container
   * @param {{name: string, config?: object}} definition as in commands.json
   * @param {URL | Function | undefined} source the file with its function, or the function itself
   */
  constructor(container, definition, source) {
    this.name = definition.name;
    this.config = definition.config ?? {};
    this.#container = container;
    this.#source = source;
    if (typeof source === 'function') this.#run = source;
  }

  /** Name and configuration, as `$metadata` publishes them. */
  get metadata() {
    return { name: this.name, config: this.config };
  }

  /** False when the definition says `"jsonrpc": false`: callers outside this process must not see it. */
  get isRemote() {
    return this.config.jsonrpc !== false;
  }

  /**
   * Calls the function with `this` = the container's state.
   * @param {{params: unknown[], _trigger?: string}} param the structured parameters
   * @returns {unknown} what the function returned; a promise when something had to be awaited first
   * @throws whatever the function throws
   */
  invoke(param) {
    if (this.#run === undefined) return this.load().then(() => this.invoke(param));
    const args = this.#arguments(param);
    if (isPromise(args)) return args.then((values) => this.#run.apply(this.#container.state, values));
    return this.#run.apply(this.#container.state, args);
  }

  /**
   * Imports the file of the function, if that is still to be done.
   * @throws what `importCommand` throws; the next call tries again
   */
  async load() {
    this.#run ??= await importCommand(this.#source, `command ${this.name} of ${this.#container.name}`);
  }

  /**
   * Makes sure that it can be called: imports its file, and checks what it is injected with. One without a file may be what a middleware runs.
   * @throws what is wrong with it
   */
  async prepare() {
    for (const trigger of Object.values(this.config)) {
      const inject = trigger?.inject;
      if (inject) this.#check(inject);
    }
    if (this.#run === undefined && this.#source !== undefined) await this.load();
  }

  #check(inject) {
    this.#compile(inject);
    const { words, other } = this.#container;
    const problem = problemOfWords(inject, Object.keys(words), (word) => other?.(word));
    if (problem !== undefined) throw errorWithStatus(500, `command ${this.name} of ${this.#container.name}: ${problem}`);
  }

  #arguments(param) {
    const plan = this.#plan(param._trigger);
    if (plan.resolve === undefined) return param.params;
    return plan.resolve({ param, words: plan.words, other: this.#container.other });
  }

  #plan(trigger) {
    let plan = this.#plans.get(trigger);
    if (plan === undefined) this.#plans.set(trigger, (plan = this.#makePlan(trigger)));
    return plan;
  }

  /** The inject list of the trigger if it has one, else that of `""`, else the parameters as they came. */
  #makePlan(trigger) {
    const own = trigger ? this.config[trigger] : undefined;
    const general = this.config[''];
    const inject = own?.inject ?? (trigger === 'proxy' ? undefined : general?.inject);
    const words = Object.assign(Object.create(this.#container.words), { $config: own || general || null, $command: this.metadata });
    return { words, resolve: inject ? this.#compile(inject) : undefined };
  }

  #compile(inject) {
    try {
      return compileInject(inject);
    } catch (error) {
      throw new Error(`command ${this.name} of ${this.#container.name}: ${error.message}`);
    }
  }
}
