/** What service code is injected with as `pm`: the daemon, and through it every other service. */

/**
 * @param {import('./calls.mjs').Calls} calls
 * @returns {{name: 'pm', dispatch: (method: string, ...params: unknown[]) => Promise<unknown>}} `dispatch` calls a
 *   command of pm (`status`) or of a service (`users.get`) by name; it rejects with the error the command answered
 */
export function daemonProxy(calls) {
  return { name: 'pm', dispatch: (method, ...params) => calls.call(method, params) };
}
