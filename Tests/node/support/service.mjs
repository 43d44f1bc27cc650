/** Real services that strangers can reach. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { definition, folder, Host } from './host.mjs';
import { freePort } from './net.mjs';

/** What they can do. */
export const FILES = {
  'commands.json': definition({
    echo: {}, wait: {}, secret: {}, hidden: { jsonrpc: false }, fail: {}, because: {}, who: { '': { inject: ['_trigger', 'auth', 'params.0'] } },
    exported: { '': { inject: ['$container', 'params.0'] } },
  }),
  'echo.mjs': 'export default (x) => x;',
  'secret.mjs': 'export default () => { console.log("executed"); return 1; }',
  'hidden.mjs': 'export default () => 1;',
  'fail.mjs': `export default () => { throw Object.assign(new Error('no'), { statusCode: 418, request: { headers: { authorization: 'Bearer internal' } } }); }`,
  'because.mjs': `export default () => {
    const token = { headers: { authorization: 'Bearer internal' } };
    const inner = Object.assign(new Error('inner'), { code: 'EINNER', statusCode: 404, request: token, config: token });
    throw Object.assign(new AggregateError([inner, 'text'], 'both', { cause: Object.assign(new Error('why', { cause: inner }), { path: '/private' }) }), token);
  }`,
  'who.mjs': 'export default (trigger, auth, param) => [trigger ?? null, auth ?? null, param ?? null];',
  'wait.mjs': 'export default () => new Promise(() => {});',
  'exported.mjs': 'export default (container, object) => container.dispatch("who", object);',
};
/** The text of a call. */
export const call = (method, params = [], id = 1) => JSON.stringify({ jsonrpc: '2.0', id, method, params });

/** A service with one connection point: `url` gets its folder. */
export async function service(t, url, env = {}) {
  const root = folder(t, FILES);
  const map = { [url(root)]: {} };
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify(map), ...env } });
  await host.ready();
  return { host, root };
}

/** A service that listens at a port for lines. */
export async function tcpService(t, env) {
  const port = await freePort();
  return { ...(await service(t, () => `jsonrpc+tcp://127.0.0.1:${port}`, env)), port };
}

/** For tests that measure: V8 lets its young generation grow to 48 MB when it likes, whatever is held. */
export const MEASURED = { NODE_OPTIONS: '--max-semi-space-size=1' };

/** By how many megabytes a process has grown since it had `before`. */
export function growth(t, host, before) {
  const more = memory(host) - before;
  t.diagnostic(`${before.toFixed()} MB before, ${more.toFixed()} MB more`);
  return more;
}

/** Megabytes that a process has in memory. */
export function memory({ process: { pid } }) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** Connections of some addresses, three else, that the service knows: each has called once. */
export async function known(port, count, addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
  const sockets = Array.from({ length: count }, (_, index) => {
    return net.connect({ port, host: '127.0.0.1', localAddress: addresses[index % addresses.length] });
  });
  await Promise.all(sockets.map((socket) => {
    socket.on('error', () => {}).write(`${call('echo')}\n`);
    return once(socket, 'data');
  }));
  return sockets;
}

/** Sends a line, ends, and resolves with all that comes. */
export async function rawLine(port, line) {
  const socket = net.connect(port, '127.0.0.1');
  socket.end(`${line}\n`);
  let all = '';
  for await (const data of socket) all += data;
  return all;
}
