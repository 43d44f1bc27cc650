/**
 * A JavaScript program that is a container by what it exports: `container`, an object with `dispatch` (as a
 * `Container` of @akala/commands), or `commands`, functions by name; or by `container.serve()`. What we cannot serve is refused with the reason.
 */
import { Container } from '../commands/container.mjs';
import { registerAll } from './definition.mjs';
import { callersOwn } from '../commands/params.mjs';
import { importFile } from './script.mjs';
import { errorWithStatus } from '../wire.mjs';

const HOST = Symbol.for('pm.host');
const DEFINITIONS = Symbol.for('pm.definitions');

/**
 * @param {URL} url of the module
 * @param {string} name of the service
 * @param {object} provided injectable words, see `Container`
 * @returns {Promise<Container>}
 * @throws when it exports nothing that could be served
 */
export async function loadModule(url, name, provided) {
  const serving = new Serving();
  const module = await importFile(url, `program ${name}`);
  // A CommonJS module's exports are all in its default; an ES module may export an object by default as well.
  const exported = { ...unwrap(module.default), ...module };
  const foreign = serving.served ?? exported.container ?? (isForeign(exported.default) ? exported.default : undefined);
  if (foreign !== undefined) return adopt(foreign, { ...exported, url }, name, provided);
  if (exported.commands !== undefined) return fromCommands(exported, url, name, provided);
  // It has made a container, and is about to serve it.
  if (serving.isExpected) return adopt(await serving.wait(), { url }, name, provided);
  const path = decodeURIComponent(url.pathname);
  throw new Error(`${path} exports neither "container" nor "commands", and serves no container: nothing in it can be called`);
}

/** What `container.serve()` in a program finds (client/served.cjs). */
class Serving {
  /** The container that the program serves. */
  served;
  /** Whether it has one that it may serve. */
  isExpected = false;
  #tell = () => {};

  constructor() {
    globalThis[HOST] = { expect: () => (this.isExpected = true), serve: (container) => this.#serve(container) };
  }

  wait() {
    return new Promise((resolve) => (this.#tell = resolve));
  }

  #serve(container) {
    if (this.served !== undefined) throw errorWithStatus(409, `this program serves ${this.served.name} already`);
    this.served = container;
    this.#tell(container);
  }
}

function unwrap(value) {
  return value !== null && typeof value === 'object' && typeof value.default === 'object' ? value.default : value;
}

function isForeign(value) {
  return value !== null && typeof value === 'object' && typeof value.dispatch === 'function';
}

async function adopt(foreign, { metadata, url }, name, provided) {
  if (!isForeign(foreign)) throw new Error(`the container of ${name} has no function "dispatch"`);
  const container = new Container(foreign.name ?? name, provided);
  if (typeof foreign[DEFINITIONS] === 'function') return ofOurs(container, foreign, { metadata, url });
  for (const { name: command, config } of await definitionsOf(foreign, metadata)) {
    container.add(new ForeignCommand(foreign, command, config ?? {}));
  }
  return container;
}

/** A container of our client: its functions are commands like those of files, and are injected as those are. */
function ofOurs(container, foreign, { metadata, url }) {
  if (foreign.state !== undefined) container.state = foreign.state;
  for (const { name, config, source } of foreign[DEFINITIONS]()) container.register({ name, config }, source);
  const described = Array.isArray(metadata?.commands) ? metadata.commands : [];
  registerAll(container, { commands: described.filter((command) => typeof command?.config?.fs?.path === 'string') }, url);
  return container;
}

/** A command of a container that is not ours, which does its own injection and keeps its own state. */
class ForeignCommand {
  #container;

  constructor(container, name, config) {
    this.#container = container;
    this.name = name;
    this.config = config;
  }

  get metadata() {
    return { name: this.name, config: this.config };
  }

  get isRemote() {
    return this.config.jsonrpc !== false;
  }

  async load() {}

  /** Structured parameters are handed over only when they say more than the positional ones. */
  invoke(param) {
    const { params, _trigger, ...others } = param;
    const says = Object.keys(others).length > 0 || this.config[_trigger]?.inject !== undefined;
    if (!says && !isAmbiguous(params)) return this.#container.dispatch(this.name, ...params);
    return this.#container.dispatch(this.name, isAmbiguous(params) ? { ...param, params: params.map(callersOwn) } : param);
  }
}

/**
 * Whether a container that looks at members would take the caller's only argument for structured parameters: it gets it within some
 * that we have made.
 */
function isAmbiguous(params) {
  return params.length === 1 && params[0] !== null && typeof params[0] === 'object' && !Array.isArray(params[0]) && Boolean(params[0].params);
}

async function definitionsOf(foreign, metadata) {
  const described = metadata?.commands ?? foreign.commands ?? (await foreign.dispatch('$metadata'))?.commands;
  if (!Array.isArray(described)) throw new Error(`the container ${foreign.name ?? ''} does not tell its commands`);
  return described.filter((definition) => typeof definition?.name === 'string');
}

function fromCommands(exported, url, name, provided) {
  const container = new Container(typeof exported.name === 'string' ? exported.name : name, provided);
  if (Array.isArray(exported.commands)) {
    registerAll(container, exported, url);
    return container;
  }
  for (const [command, run] of Object.entries(exported.commands)) {
    const inject = run?.$inject;
    if (typeof run === 'function') container.register({ name: command, config: inject ? { '': { inject } } : {} }, run);
  }
  return container;
}
