/** The life of a hosted service: starting, serving, stopping. */
import { isPromise } from './commands/inject.mjs';
import { fromWire } from './commands/params.mjs';
import { textOf } from './stack.mjs';
import { errorWithStatus, methodNotFound, SIGNALS } from './wire.mjs';

/** What a service takes from pm beside calls of its commands. */
export const ACCEPTED = [...SIGNALS, '$ping'];

export class Service {
  #container;
  #phase = 'starting';
  #stopping;
  #onStopped = () => {};
  #read;
  #version = 0;
  #abort;

  /**
   * @param {Promise<import('./commands/container.mjs').Container>} loaded resolves when `$init` is done
   * @param {(version: number) => Promise<import('./commands/container.mjs').Container>} reload reads the program again
   */
  constructor(loaded, reload) {
    this.#read = reload;
    /** Resolves with the container when requests are served; rejects as `loaded` does. */
    this.started = loaded.then((container) => {
      this.#container = container;
      this.#phase = 'serving';
      return container;
    });
  }

  /**
   * The handler of a method called from outside.
   * @param {string} method
   * @returns {((params: unknown, call?: import('./underway.mjs').Call, peer?: import('./peer.mjs').Peer) => unknown) | undefined} undefined: there is no such method
   */
  find(method) {
    if (method === '$ping') return () => true;
    if (this.#phase === 'starting') return (...all) => this.#later(method, all);
    if (method === '$metadata') return () => ({ ...this.#container.metadata, accepts: ACCEPTED });
    if (method === '$stop') return (params) => this.stop(params);
    if (method === '$reload') return () => this.#reload();
    const command = this.#container.command(method);
    if (command === undefined || !command.isRemote || method === '$init') return undefined;
    if (this.#phase === 'stopping') return () => this.#refuse(method);
    return (params, call, peer) => reported(method, () => this.#container.run(command, fromWire(params, call, peer)));
  }

  /**
   * The same for callers that do not come through the daemon: stopping and reloading are the daemon's business.
   * @param {string} method
   */
  findFromOutside(method) {
    if (['$stop', '$reload', '$ping'].includes(method)) return undefined;
    if (method === '$metadata') return async () => ({ ...(await this.started, this.#container).publicMetadata, accepts: SIGNALS });
    return this.find(method);
  }

  /**
   * Runs the container's `$stop`, once: whoever asks again gets the same answer.
   * @param {unknown} [params] as they came
   * @returns {Promise<unknown>} what `$stop` returned, or threw
   */
  stop(params) {
    if (this.#stopping !== undefined) return this.#stopping;
    this.#phase = 'stopping';
    this.#abort?.abort();
    this.#stopping = this.#runStop(params);
    this.#stopping.then(() => this.#onStopped(), (thrown) => this.#onStopped({ thrown }));
    return this.#stopping;
  }

  /** The controller that is aborted when the service stops. */
  get abort() {
    this.#abort ??= new AbortController();
    if (this.isStopping) this.#abort.abort();
    return this.#abort;
  }

  /** Whether it has something to do when it is stopped. */
  get hasStop() {
    return this.#abort !== undefined || this.#container?.command('$stop') !== undefined;
  }

  /**
   * A connection has ended: the container's `$disconnect` is run, if it has one.
   * @param {import('./peer.mjs').Peer} peer its end here
   */
  disconnected(peer) {
    const command = this.#container?.command('$disconnect');
    if (command === undefined) return;
    Promise.resolve().then(() => this.#container.run(command, fromWire([], undefined, peer))).catch((error) => {
      process.stderr.write(`pm: $disconnect of ${this.#container.name} failed: ${textOf(error)}\n`);
    });
  }

  /** Whether somebody has asked for its end. */
  get isStopping() {
    return this.#stopping !== undefined;
  }

  /** @param {(failure?: {thrown: unknown}) => void} listener called when `stop` is over, however it ended */
  onStopped(listener) {
    this.#onStopped = listener;
  }

  /**
   * Reads the commands and their files again; `$init` is not run again, and the state is kept. What is wrong with them is
   * an error of this call, and everything stays as it was.
   */
  async #reload() {
    await this.started;
    const container = await this.#read(++this.#version);
    container.inherit(this.#container);
    await container.load();
    container.replace(this.#container);
    this.#container = container;
    return { ...container.metadata, accepts: ACCEPTED };
  }

  async #runStop(params) {
    const command = this.#container?.command('$stop');
    return command === undefined ? undefined : this.#container.run(command, fromWire(params));
  }

  /** Requests that come while the service starts wait until it has. */
  async #later(method, all) {
    await this.started;
    const handler = this.find(method);
    if (handler === undefined) throw methodNotFound(method);
    return handler(...all);
  }

  #refuse(method) {
    throw errorWithStatus(503, `cannot call ${method}: ${this.#container.name} is stopping`);
  }
}

/** Runs a command; the stack of an error that it did not mean is in the log, because callers get only its message. */
function reported(method, run) {
  let result;
  try {
    result = run();
  } catch (error) {
    tell(method, error);
    throw error;
  }
  return isPromise(result) ? result.catch?.((error) => {
    tell(method, error);
    throw error;
  }) ?? result : result;
}

/** An error with a status or a code is an answer that the command has chosen, as INTERACT is. */
function tell(method, error) {
  const isChosen = !(error instanceof Error) || error.code !== undefined || (error.statusCode !== undefined && error.statusCode !== 500);
  if (!isChosen) process.stderr.write(`pm: command ${method} failed: ${textOf(error)}\n`);
}
