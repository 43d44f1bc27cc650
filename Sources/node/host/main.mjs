/**
 * Runs a container as a service: `node main.mjs PROGRAM [ARG...]`.
 *
 * PM_CHANNEL_FD names the socket to the daemon, or PM_CHANNEL its path (without either the service runs alone), PM_NAME the
 * service, PM_CONFIG its configuration as JSON, PM_SOCK the daemon's URL, PM_CONNECT where it is to listen, as JSON:
 * URL -> options.
 */
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { Calls, daemonProxy } from './calls.mjs';
import { Channel } from './channel.mjs';
import { runInit } from './load/init.mjs';
import { parseJSON } from './load/json.mjs';
import { load } from './load/load.mjs';
import { Peer } from './peer.mjs';
import { setVersion } from './load/script.mjs';
import { ACCEPTED, Service } from './service.mjs';
import { textOf } from './stack.mjs';
import { offerConnection, provideClient, trust } from './wire.mjs';

/** The exit status of a service that has lost its channel (EX_TEMPFAIL of sysexits.h). */
const LOST = 75;
/** How long `$stop` may take when the channel is lost, in milliseconds. */
const STOP_TIMEOUT = 5000;

/** What pool/thread.cjs has made of this thread, if it is a worker. */
const worker = globalThis[Symbol.for('pm.pool')];
// The kernel spares the first process of a container the signals that it does not handle.
if (process.pid === 1) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, exitIfUnhandled);
const settings = readSettings();
const calls = new Calls();
const service = new Service(Promise.resolve().then(start), (version) => read(version));
const peer = new Peer(calls, (method) => service.find(method));
const channel = openChannel();
let listeners;
let provided;
service.started.then(serve).catch(fail);

function readSettings() {
  const [, , program, ...args] = process.argv;
  if (program === undefined) {
    process.stderr.write('usage: main.mjs PROGRAM [ARG...]\n');
    process.exit(64);
  }
  const path = resolve(program);
  // What `node PROGRAM ARG...` would show: programs read their arguments here.
  process.argv.splice(1, 2, path);
  const { PM_NAME: name = path, PM_CONFIG: config, PM_SOCK: pmSock, PM_CONNECT: points } = process.env;
  const { PM_CHANNEL_FD: fd, PM_CHANNEL: socket } = process.env;
  // A child of the service has neither its channel nor its connection points.
  delete process.env.PM_CHANNEL_FD;
  delete process.env.PM_CHANNEL;
  delete process.env.PM_CONNECT;
  return { program: path, args, name, fd, socket, configText: config, pmSock, points };
}

function openChannel() {
  const source = channelSource(settings);
  if (source === undefined) return undefined;
  const opened = new Channel(source, {
    line: (text) => peer.receive(text), tooLong: (head) => peer.receiveTooLong(head), closed: abandon,
  });
  peer.attach(opened);
  calls.connect((text) => opened.send(text));
  return opened;
}

function channelSource({ fd, socket }) {
  if (worker?.channel !== undefined) return worker.channel;
  if (fd !== undefined) return Number(fd);
  return socket === undefined ? undefined : connectTo(socket);
}

/** A channel has no other proof than where it is. Only containers have one by its path. */
function connectTo(socket) {
  try {
    trust().requireTrust(socket, 'folderOwner');
  } catch (error) {
    fail(error);
  }
  return connect(socket);
}

async function start() {
  const { program, name, configText } = settings;
  const config = configText === undefined ? undefined : parseJSON(configText, 'PM_CONFIG');
  provideClient(program);
  provided = { pm: daemonProxy(calls), config };
  if (worker?.pool) provided.pool = worker.pool;
  await offerConnection(program, () => provided.pm);
  const container = await load(program, name, provided);
  await runInit(container, { ...settings, config }, () => service.abort);
  await container.load();
  return container;
}

/** The program read again: files are imported under another version of their URL, because Node keeps what it has imported. */
function read(version) {
  setVersion(version);
  return load(settings.program, settings.name, provided);
}

/** Connection points of its own, if its mapping has some. */
async function listen() {
  if (settings.points === undefined) return undefined;
  const { Listeners } = await import('./web/listen.mjs');
  return Listeners.open(parseJSON(settings.points, 'PM_CONNECT'), (method) => service.findFromOutside(method), (peer) => service.disconnected(peer));
}

async function serve(container) {
  listeners = await listen();
  // The first signal stops in order, also what `$init` has tied to `context.abort`; the second one finds no handler and ends the process.
  if (service.hasStop) process.once('SIGTERM', stopAndExit);
  service.onStopped(leave);
  if (channel === undefined) return;
  calls.call('ready', [{ ...container.metadata, accepts: ACCEPTED }]).catch((error) => {
    if (!channel.closed) process.stderr.write(`pm: the daemon refused ready: ${error.message}\n`);
  });
}

/**
 * After `$stop` the process ends by itself, when what still runs has been answered and the program lets it.
 * @param {{thrown: unknown}} [failure] of `$stop`
 */
async function leave(failure) {
  if (process.listeners('SIGTERM').includes(stopAndExit)) {
    // Replaced, not removed: without a listener a signal that was caught and not delivered yet would be lost.
    process.once('SIGTERM', () => process.exit());
    process.removeListener('SIGTERM', stopAndExit);
  }
  if (failure !== undefined) report(`$stop of ${settings.name} failed`, failure.thrown);
  await Promise.all([peer.idle(), listeners?.close()]);
  channel?.close();
  calls.disconnect();
}

/** Only pm closes the channel: there is nobody left to serve. Where nobody asked for this end it is no success, whatever `$stop` says. */
function abandon() {
  if (!service.isStopping) process.on('exit', () => (process.exitCode ||= LOST));
  // Nobody is there who would end a service whose `$stop` never does.
  setTimeout(() => process.exit(LOST), STOP_TIMEOUT).unref();
  calls.disconnect();
  peer.abandon();
  service.disconnected(peer);
  return stopAndExit();
}

function exitIfUnhandled(signal, number) {
  if (process.listenerCount(signal) === 1) process.exit(128 + number);
}

async function stopAndExit() {
  // Its failure is reported by `leave`.
  await service.stop().catch(() => {});
  // An answer to `$stop` that is on its way leaves in this turn.
  setImmediate(() => process.exit());
}

function fail(error) {
  report(`cannot start ${settings.name}`, error);
  process.exit();
}

function report(what, error) {
  process.stderr.write(`pm: ${what}: ${textOf(error)}\n${error?.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
  process.exitCode = 1;
}
