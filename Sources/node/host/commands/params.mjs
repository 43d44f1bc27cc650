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

/** The same for parameters that a trigger in this process has made, as they are: a body is read when it is asked for. */
export function trusted(param) {
  made.add(param);
  return param;
}

/** Whether an object was made by `structured` or `fromWire`. */
export function isStructured(value) {
  return value !== null && typeof value === 'object' && made.has(value);
}

/** What a caller says, without what only a receiver knows. */
export function callersOwn(value) {
  return Object.fromEntries(Object.entries(value).filter(([key]) => isCallers(key)));
}

/** Structured parameters of a call that came over a connection, with the words that only its receiver knows. */
class Received {
  #call;
  #peer;

  constructor(call, peer) {
    this.#call = call;
    this.#peer = peer;
  }

  /** Made when it is asked for: most commands never look at it. */
  get signal() {
    return this.#call?.signal;
  }

  get connectionId() {
    return this.#peer?.connection.id;
  }

  get connection() {
    return this.#peer?.connection;
  }

  get connectionAsContainer() {
    return this.#peer?.connection.container;
  }

  get socket() {
    return this.#peer?.connection.socket;
  }
}
const OF_RECEIVER = new Set(['signal', 'connectionId', 'connection', 'connectionAsContainer', 'socket']);

/**
 * A word of structured parameters; undefined when they do not have it.
 * @param {object} param
 * @param {string} name
 */
export function wordOf(param, name) {
  if (Object.hasOwn(param, name)) return param[name];
  return OF_RECEIVER.has(name) && param instanceof Received ? param[name] : undefined;
}

/**
 * @param {unknown} params an array, an object or nothing, as it came
 * @param {import('../underway.mjs').Call} [call] what is known of the call itself; commands can be injected with its `signal`
 * @param {import('../peer.mjs').Peer} [peer] that it came from
 * @returns {{params: unknown[], _trigger: 'jsonrpc'}} with the other members the caller gave (`options`, `context` …)
 */
export function fromWire(params, call, peer) {
  const param = new Received(call, peer);
  made.add(param);
  if (params === undefined || params === null) param.params = [];
  else if (Array.isArray(params)) param.params = params;
  else if (!Array.isArray(params.params)) param.params = [params];
  else {
    for (const key of Object.keys(params)) if (isCallers(key)) param[key] = params[key];
    leaveOut(param);
  }
  param._trigger = 'jsonrpc';
  return param;
}

/** `absent` lists the places of `params` for which nothing was given: commands then use their default values. */
function leaveOut(param) {
  if (!Array.isArray(param.absent)) return;
  for (const place of param.absent) if (param.params[place] === null) param.params[place] = undefined;
  delete param.absent;
}

function isCallers(key) {
  return key[0] !== '_' && key[0] !== '$' && !RESERVED.has(key);
}
