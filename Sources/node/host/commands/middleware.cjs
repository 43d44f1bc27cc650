'use strict';
/**
 * Middlewares as the reference has them: `handle` of one returns a promise that *rejects with the result* when it has handled the
 * command, and resolves with an error, or with nothing when the next one is to try.
 */
class Middlewares {
  #stack = [];

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /** Whether there is none. */
  get isEmpty() {
    return this.#stack.length === 0;
  }

  /**
   * @param {number} priority the lowest comes first; the commands of the container itself have 20
   * @param {...{handle: (origin: object, command: object, param: object) => Promise<unknown>}} middlewares
   */
  useMiddleware(priority, ...middlewares) {
    this.#stack.push(...middlewares.map((middleware) => ({ priority, middleware })));
    // Of equal priorities the one that came first stays first.
    this.#stack.sort((one, other) => one.priority - other.priority);
    return this;
  }

  /** The same for functions whose promise resolves with the result. */
  use(priority, ...functions) {
    return this.useMiddleware(priority, ...functions.map((run) => ({ handle: async (...all) => inverted(() => run(...all)) })));
  }

  /**
   * @param {{priority: number, middleware: object}[]} own middlewares that take part, for this command alone
   * @param {[origin: object, command: object, param: object]} all
   * @returns {Promise<unknown>} rejects with the result
   */
  async handleWith(own, all) {
    let failure;
    for (const { middleware } of [...this.#stack, ...own].sort((one, other) => one.priority - other.priority)) {
      if (failure === undefined) failure = (await middleware.handle(...all)) ?? undefined;
      else if (typeof middleware.handleError === 'function') failure = await middleware.handleError(failure, ...all);
    }
    return failure;
  }

  handle(...all) {
    return this.handleWith([], all);
  }

  /** The same as a promise of the result. */
  process(...all) {
    return upright(this.handle(...all));
  }
}

/** From a function to the reference's way: rejects with what it returns, resolves with what it throws. */
async function inverted(run) {
  let result;
  try {
    result = await run();
  } catch (error) {
    return error ?? new Error('the command failed');
  }
  // No error: this is how a result is handed on.
  throw result;
}

/** And back. */
function upright(promise) {
  return promise.then((error) => Promise.reject(error), (result) => result);
}

module.exports = { inverted, Middlewares, upright };
