/**
 * From the `params` of a request to the structured parameters that a command's inject list draws from.
 *
 * Only what a caller may say is taken. Who the caller is (connection, socket, process, auth), how the call came
 * (`_trigger`), and what this process provides (`pm`, `config`, `$…`) are never taken from the wire.
 */

const RESERVED = new Set([
  'connection', 'connectionId', 'connectionAsContainer', 'socket', 'process', 'auth', 'pm', 'config', 'signal',
]);

/** Structured parameters that this process has made: known by identity, because whatever they look like could come from a caller. */
const made = new WeakSet();

/**
 * Structured parameters for a call within this process, as its code means them.
 * @param {{params: unknown[], _trigger?: string}} param
 */
export function structured(param) {
  if (!Array.isArray(param?.params)) throw new TypeError('structured parameters need a list "params"');
  const own = { ...param };
  made.add(own);
  return own;
}

/** Whether an object was made by `structured` or `fromWire`. */
export function isStructured(value) {
  return value !== null && typeof value === 'object' && made.has(value);
}

/** What a caller says, without what only a receiver knows. */
export function callersOwn(value) {
  return Object.fromEntries(Object.entries(value).filter(([key]) => isCallers(key)));
}

/**
 * @param {unknown} params an array, an object or nothing, as it came
 * @param {{signal: AbortSignal}} [call] what is known of the call itself; commands can be injected with its `signal`
 * @returns {{params: unknown[], _trigger: 'jsonrpc'}} with the other members the caller gave (`options`, `context` …)
 */
export function fromWire(params, call) {
  const param = positional(params);
  made.add(param);
  // Made when it is asked for: most commands never look at it.
  if (call !== undefined) Object.defineProperty(param, 'signal', { get: () => call.signal });
  return param;
}

function positional(params) {
  if (params === undefined || params === null) return { params: [], _trigger: 'jsonrpc' };
  if (Array.isArray(params)) return { params, _trigger: 'jsonrpc' };
  if (!Array.isArray(params.params)) return { params: [params], _trigger: 'jsonrpc' };
  const taken = {};
  for (const key of Object.keys(params)) {
    if (isCallers(key)) taken[key] = params[key];
  }
  taken._trigger = 'jsonrpc';
  return taken;
}

function isCallers(key) {
  return key[0] !== '_' && key[0] !== '$' && !RESERVED.has(key);
}
