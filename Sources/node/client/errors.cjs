'use strict';

/** Errors on their way over the wire, and those of the connection itself. */

/**
 * An error with a status in HTTP's numbers.
 * @param {number} statusCode
 * @param {string} message
 * @param {object} [members] further ones: `code`, `retry`, `cause`
 */
function errorWithStatus(statusCode, message, members = {}) {
  return Object.assign(new Error(message), { statusCode }, members);
}

/**
 * The error that an answer carried, as something to throw: an `Error` with the members it had on the other side.
 * @param {unknown} error the `error` member of the answer
 */
function revive(error) {
  if (error === null || typeof error !== 'object') return new Error(String(error));
  const info = error.data?.info;
  const message = typeof error.message === 'string' ? error.message : JSON.stringify(error);
  const revived = new Error(info ? `${message}: ${info}` : message);
  for (const [key, value] of Object.entries(error)) {
    if (key !== '__proto__' && key !== 'message') revived[key] = value;
  }
  return revived;
}

/** What waits for an answer on a connection that has ended: it may have been done, and may be tried again. */
function disconnected(method, cause) {
  const why = cause?.message ? `: ${cause.message}` : '';
  return errorWithStatus(503, `the connection ended before ${method} was answered${why}`, {
    code: 'PM_DISCONNECTED', retry: true, ...(cause === undefined ? {} : { cause }),
  });
}

/** An answer that did not come in time. */
function late(method, timeout) {
  return errorWithStatus(504, `${method} was not answered within ${timeout} ms`, { code: 'PM_DEADLINE' });
}

module.exports = { errorWithStatus, revive, disconnected, late };
