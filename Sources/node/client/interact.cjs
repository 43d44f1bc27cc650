'use strict';

/** Thrown by a command that needs to know more from the person who called it. */
class InteractError extends Error {
  /**
   * @param {string} message what to ask
   * @param {string} [as] the option that takes the answer; without it the answer becomes one more argument
   */
  constructor(message, as) {
    super(message);
    this.name = 'InteractError';
    this.code = 'INTERACT';
    this.as = as;
  }

  /** What crosses the wire: no stack, since this is a question and no failure. */
  toJSON() {
    return { code: this.code, message: this.message, as: this.as };
  }
}

/**
 * Asks the person at the command line: it prints the message, reads a line and calls the command again with it.
 * @param {string} message what to ask
 * @param {string} [as] the option that takes the answer; without it the answer becomes one more argument
 * @returns {never}
 * @throws {InteractError} always
 */
function interact(message, as) {
  throw new InteractError(message, as);
}

module.exports = { interact, InteractError };
