'use strict';
/**
 * A connection as commands see it that want to know who calls: `connectionId`, `connection`, `connectionAsContainer`, `socket`. A call on it
 * is a request to whoever is at its other end.
 */
const { randomUUID } = require('node:crypto');
const { inverted } = require('../commands/middleware.cjs');

class Connection {
  #calls;
  #id;
  #container;

  /**
   * @param {import('../calls.mjs').Calls} calls to the other end
   * @param {() => unknown} socket what the messages come over
   */
  constructor(calls, socket) {
    this.#calls = calls;
    Object.defineProperty(this, 'socket', { get: socket });
  }

  /** Unique; made when it is asked for. */
  get id() {
    return (this.#id ??= randomUUID());
  }

  get connectionId() {
    return this.id;
  }

  /** Calls a method at the other end. */
  call(method, ...params) {
    return this.#calls.call(method, params);
  }

  /** The same as middlewares of the reference are called. */
  handle(_origin, command, param) {
    return inverted(() => this.#calls.call(command.name, param.params));
  }

  /** The other end as a container. */
  get container() {
    this.#container ??= {
      name: 'client', processor: this,
      dispatch: (command, ...params) => this.#calls.call(typeof command === 'string' ? command : command.name, params),
      handle: (_origin, command, ...params) => inverted(() => this.#container.dispatch(command, ...params)),
    };
    return this.#container;
  }

  toJSON() {
    return { id: this.id };
  }
}

module.exports = { Connection };
