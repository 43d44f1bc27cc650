/** What a plugin's function gets: by it the plugin adds things to pm. Docs/Plugins.md describes it. */

/** `POST /hooks/{id}`, or a path alone, which is for every method. */
const ROUTE = /^(?:([A-Z]+) )?(\/\S*)$/;

export class Plugin {
  #parts;
  #routes = 0;

  /**
   * @param {{name: string, version?: string, folder: string, options: object}} about
   * @param {{register: Function, probes: Map<string, Function>, events: import('./events.mjs').EventQueue, call: Function}} parts
   */
  constructor({ name, version, folder, options }, parts) {
    Object.assign(this, { name, version, folder, options });
    this.#parts = parts;
  }

  /**
   * Adds a command of pm: `pm NAME`, and the method of that name for clients.
   * @param {string} name
   * @param {{usage?: string, description?: string, options?: object}} about `usage` begins with the name: `hello <who> [greeting]`
   * @param {(options: object, context: {args: unknown[], currentWorkingDirectory?: string, signal?: AbortSignal}) => unknown} run gets the options and the
   *   words of the usage by their names
   */
  command(name, about, run) {
    requireFunction(run, `the command ${name}`);
    const { usage = name, description, options = {} } = about ?? {};
    const cli = { usage, options, inject: ['options', 'context'] };
    const config = { cli, ...(description === undefined ? {} : { doc: { description } }) };
    const withDefaults = defaultsOf(options);
    this.#parts.register(name, config, ['params.0', 'params.1', 'signal'], (given, context, signal) => run({ ...withDefaults, ...given }, { args: [], ...context, signal }));
  }

  /**
   * Adds a check for `ready` and `live`: `{"probe": NAME}`.
   * @param {string} name
   * @param {(question: {service: string, pid?: number, options?: object}) => boolean | string | {passed: boolean, seen?: string}} check true, or what it saw
   */
  probe(name, check) {
    requireFunction(check, `the check ${name}`);
    this.#parts.probes.set(name, check);
  }

  /**
   * Gets events of a kind, one after the other.
   * @param {string} kind
   * @param {(event: {kind: string, at: string, service?: string, message: string, details?: object}) => unknown} handle
   */
  on(kind, handle) {
    requireFunction(handle, `events of the kind ${kind}`);
    this.#parts.events.on(kind, handle);
  }

  /**
   * Adds a route at the gateway.
   * @param {string} route `GET /hello/{who}`
   * @param {(request: {route: object, query: object, headers: object, body: unknown}) => unknown} run
   * @param {{type?: 'json' | 'text' | 'xml' | 'raw', contentType?: string}} [answer] how what it returns is sent
   */
  http(route, run, answer = {}) {
    requireFunction(run, `the route ${route}`);
    const [, method = 'use', path] = ROUTE.exec(route) ?? [];
    if (path === undefined) throw new TypeError(`${route} is no route such as "POST /hooks/{id}"`);
    const inject = [{ route: 'route', query: 'query', headers: 'headers', body: 'body' }];
    this.#routes++;
    this.#parts.register(`route-${this.#routes}`, { http: { ...answer, method: method.toLowerCase(), route: path, inject } }, ['params.0'], run);
  }

  /**
   * Calls pm (`status`) or a service (`web.health`).
   * @param {string} method
   * @param {...unknown} params
   */
  call(method, ...params) {
    return this.#parts.call(method, ...params);
  }
}

function requireFunction(value, what) {
  if (typeof value !== 'function') throw new TypeError(`${what} needs a function`);
}

/** The values that options have when nobody gives them. */
export function defaultsOf(options) {
  const known = Object.entries(options).filter(([, option]) => option?.default !== undefined);
  return Object.fromEntries(known.map(([name, option]) => [name, option.default]));
}
