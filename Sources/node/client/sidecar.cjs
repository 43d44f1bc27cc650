'use strict';

/** Services by name: how to reach the daemon, and through it everything else. */
const { Container, RemoteContainer } = require('./container.cjs');
const { errorWithStatus } = require('./wire/errors.cjs');
const { Link } = require('./link.cjs');
const { daemonPlace } = require('./location.cjs');
const { leadOn } = require('./route.cjs');
const { Rpc } = require('./rpc.cjs');
const { defaultOrders, openTransport } = require('./transports.cjs');

/** How long connecting to one point may take, in milliseconds. */
const CONNECT_TIMEOUT = 5000;

/** @typedef {Record<string, object>} ConnectionMap URLs and their options */

/**
 * Opens one connection.
 * @param {string} url
 * @param {object} options of its entry in a connection map
 * @param {{signal?: AbortSignal, server?: import('./wire/trust.cjs').Server}} how as `openTransport` has it
 */
async function open(url, options, { signal, server }) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(errorWithStatus(504, `${url} does not answer`)), CONNECT_TIMEOUT);
  const abort = () => limit.abort(signal.reason);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    const rpc = new Rpc();
    return rpc.attach(await openTransport(url, options, rpc, { signal: limit.signal, server }));
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * Connects to the first point of a map that answers, in the order of preference.
 * @param {ConnectionMap} map
 * @param {string[]} orders beginnings of URLs, the preferred one first
 * @param {{signal?: AbortSignal, server?: import('./wire/trust.cjs').Server}} how as `openTransport` has it
 * @throws statusCode 404 when no point is in the orders; the last failure when none answers
 */
async function openByPreference(map, orders, how) {
  const tried = new Set();
  let failure = errorWithStatus(404, 'no matching connection preference was found');
  for (const order of orders.length > 0 ? orders : defaultOrders) {
    // `jsonrpc+unix` stands for itself first, then also for what begins so.
    const urls = Object.keys(map).filter((url) => url.startsWith(order) && !tried.has(url));
    for (const url of urls.sort((one, other) => other.startsWith(`${order}:`) - one.startsWith(`${order}:`))) {
      tried.add(url);
      try {
        return await open(url, map[url] ?? {}, how);
      } catch (error) {
        if (how.signal?.aborted) throw error;
        failure = error;
      }
    }
  }
  throw failure;
}

/**
 * Connects to a service at one of its connection points.
 * @param {ConnectionMap} map as `connect` tells it
 * @param {{metadata?: object, container?: Container, signal?: AbortSignal}} [options] `metadata`: what it offers, which is
 *   asked otherwise; `container`: where its commands are registered, too
 * @param {...string} orders the order of preference; `defaultOrders` when there is none
 * @returns {Promise<{container: Container, processor: Rpc}>}
 */
async function connectByPreference(map, { metadata, container, signal } = {}, ...orders) {
  const rpc = await openByPreference(map, orders, { signal });
  const link = new Link(({ signal: later }) => openByPreference(map, orders, { signal: later }), rpc);
  const known = metadata ?? (await rpc.call('$metadata', [true], { signal }));
  const remote = new RemoteContainer(known, link);
  if (container === undefined) return { container: remote, processor: rpc };
  container.registerMultiple(remote);
  return { container, processor: rpc };
}

// MARK: the daemon

const daemons = new Map();
/** Who wants to know that a service has other commands, by the daemon's URL. */
const watchers = new Map();

/** The daemon that options mean; the same one for the same place. */
function daemon(options = {}) {
  if (typeof options.pm?.dispatch === 'function') return options.pm;
  const place = daemonPlace(options);
  const key = `${place.server} ${place.url}`;
  if (!daemons.has(key)) daemons.set(key, new RemoteContainer({ name: 'pm' }, new Link(({ signal }) => openWatching(place, signal))));
  return daemons.get(key);
}

/** The daemon tells on this connection which service has published other commands. */
async function openWatching(place, signal) {
  const rpc = await openDaemon(place, signal);
  rpc.onNotice = (method, params) => {
    if (method === '$/metadata') for (const tell of watchers.get(place.url) ?? []) tell(params[0]);
  };
  // A daemon that does not know of this tells nothing.
  rpc.call('$metadata', [false, null, true]).catch(() => {});
  return rpc;
}

async function openDaemon({ url, server }, signal) {
  try {
    return await open(url, {}, { signal, server });
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') throw error;
    throw errorWithStatus(503, `pm does not run: nobody serves ${url}`, { hint: 'pm start pm', retry: true, cause: error });
  }
}

/** A connection of its own to the daemon, for calls of one service. */
async function openRoute(place, name, signal) {
  const rpc = await openDaemon(place, signal);
  try {
    return await leadOn(rpc, name, signal);
  } catch (error) {
    rpc.close();
    throw error;
  }
}

/** The connection points of a service; undefined when it has none of its own, or a container may not be told. */
async function pointsOf(pm, name, signal) {
  try {
    return await (pm.with?.({ signal }) ?? pm).dispatch('connect', name, null);
  } catch (error) {
    if (error.statusCode === 404 || error.statusCode === 403) return undefined;
    throw error;
  }
}

/** Directly where one of its points answers, else through the daemon. */
async function openService(name, settings, signal) {
  const { pm, place, orders } = settings;
  const map = await pointsOf(pm, name, signal);
  if (map === undefined) return openRoute(place, name, signal);
  try {
    // A point in the map may be of a service that runs no more: somebody else could serve it now.
    return await openByPreference(map, orders, { signal, server: 'folderOwner' });
  } catch (error) {
    if (signal?.aborted) throw error;
    return openRoute(place, name, signal).catch((second) => {
      throw Object.assign(second, { cause: error });
    });
  }
}

// MARK: sidecars

/** `preferRemote` takes what another machine could reach first. */
function ordersOf({ orders, preferRemote }) {
  if (orders !== undefined) return orders;
  if (!preferRemote) return defaultOrders;
  return [...defaultOrders.filter((order) => !order.includes('unix')), ...defaultOrders.filter((order) => order.includes('unix'))];
}

/**
 * Services as properties: `await sidecar()['my-app']`. Each is connected when it is asked for first; a connection that
 * failed is tried again, one that ended is opened again by the next call.
 * @param {{preferRemote?: boolean, orders?: string[], pmSock?: string | URL, configFile?: string, signal?: AbortSignal}} [options]
 */
function sidecar(options = {}) {
  const services = new Map();
  const settings = { pm: daemon(options), place: options.pm ? undefined : daemonPlace(options), orders: ordersOf(options) };
  const get = (name) => {
    if (!services.has(name)) {
      const service = connectService(name, settings, options.signal);
      services.set(name, service);
      service.catch(() => services.delete(name));
    }
    return services.get(name);
  };
  return new Proxy(Object.create(null), {
    get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : get(name)),
    has: (_, name) => typeof name === 'string',
    ownKeys: () => [...services.keys()],
    getOwnPropertyDescriptor: (_, name) => services.has(name) ? { enumerable: true, configurable: true, value: get(name) } : undefined,
  });
}

let single;

/** The same sidecar for all who ask; the options of the first one count. */
function sidecarSingleton(options) {
  single ??= sidecar(options);
  return single;
}

async function connectService(name, settings, signal) {
  if (name === 'pm') {
    await settings.pm.refresh();
    return settings.pm;
  }
  const complete = { ...settings, place: settings.place ?? (await toldPlace(settings.pm)) };
  const rpc = await openService(name, complete, signal);
  const { commands } = await rpc.call('$metadata', [true], { signal });
  const container = new RemoteContainer({ name, commands }, new Link(({ signal: later }) => openService(name, complete, later), rpc));
  watch(container, complete.place.url);
  return container;
}

/** Where a daemon says that it is. */
async function toldPlace(pm) {
  return { url: Object.keys(await pm.dispatch('connect', 'pm', null))[0], server: 'folderOwner' };
}

/** Keeps the list of commands of a container as the daemon publishes it. */
function watch(container, url) {
  if (!watchers.has(url)) watchers.set(url, new Set());
  const reference = new WeakRef(container);
  const tell = (name) => {
    const known = reference.deref();
    if (known === undefined) watchers.get(url).delete(tell);
    // What it cannot tell now it tells when it is called.
    else if (name === known.name) known.renew().catch(() => {});
  };
  watchers.get(url).add(tell);
}

/**
 * Where a service can be reached, and what it offers.
 * @param {string} name
 * @param {object} [configuration] the daemon (`{pm}`, `{pmSock}`, `{configFile}`), or connection points of one's own:
 *   `{http: new URL(…), 'jsonrpc+tcp': {host, port}}`, which are used instead of asking the daemon
 * @returns {Promise<{connect: Promise<ConnectionMap>, container: RemoteContainer}>}
 */
async function connect(name, configuration = {}) {
  const own = ownPoints(configuration);
  if (own !== undefined) {
    const { container } = await connectByPreference(own, { signal: configuration.signal }, ...ordersOf(configuration));
    return { connect: Promise.resolve(own), container };
  }
  const options = typeof configuration.dispatch === 'function' ? { pm: configuration } : configuration;
  const pm = daemon(options);
  const metadata = ofService(await pm.dispatch('$metadata', true, name), name);
  const points = pm.dispatch('connect', name, null);
  // Whoever does not look at it is not disturbed by it.
  points.catch(() => {});
  const place = options.pm ? await toldPlace(pm) : daemonPlace(options);
  const settings = { pm, place, orders: ordersOf(options) };
  const link = new Link(({ signal }) => openService(name, settings, signal));
  return { connect: points, container: new RemoteContainer(metadata, link) };
}

/** What the daemon says of one service; the reference's describes itself and all services. */
function ofService({ name: described, commands }, name) {
  if (described !== 'pm' || name === 'pm') return { name, commands };
  const own = commands.filter((command) => command.name.startsWith(`${name}.`));
  return { name, commands: own.map((command) => ({ ...command, name: command.name.slice(name.length + 1) })) };
}

/** A connection map out of a configuration that names transports; undefined when it names none. */
function ownPoints(configuration) {
  const map = {};
  for (const [key, value] of Object.entries(configuration)) {
    const order = defaultOrders.find((known) => key === known);
    if (order === undefined) {
      if (/^[a-z+]+:\/\//.test(key)) map[key] = value ?? {};
    } else if (typeof value === 'string' || value instanceof URL) {
      map[String(value)] = {};
    } else {
      const { url, ...options } = value;
      map[url === undefined ? pointURL(order, options) : String(url)] = options;
    }
  }
  return Object.keys(map).length > 0 ? map : undefined;
}

function pointURL(order, { host = 'localhost', port, path = '', socketPath }) {
  if (order.includes('unix')) return `${order}://${String(socketPath ?? path).split('/').map(encodeURIComponent).join('/')}`;
  return `${order}://${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}${order.startsWith('jsonrpc') ? '' : path}`;
}

module.exports = { connect, connectByPreference, Container, daemon, defaultOrders, RemoteContainer, sidecar, sidecarSingleton };
