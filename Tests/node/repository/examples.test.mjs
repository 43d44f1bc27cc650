import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Host } from '../support/host.mjs';
import { freePort } from '../support/net.mjs';

const SHOP = fileURLToPath(new URL('../../../Examples/shop/packages/', import.meta.url));
const READINESS = fileURLToPath(new URL('../../../Examples/readiness/', import.meta.url));

/** The services of the shop, with this test relaying their calls to each other as the daemon does. */
async function shop(t, options = {}) {
  const hosts = {};
  const relay = (service, command) => async (...params) => {
    const { error, result } = await hosts[service].ask(command, params);
    if (error) throw Object.assign(new Error(error.message), error);
    return result;
  };
  const serve = {};
  for (const [service, command] of [['cache', 'get'], ['cache', 'set'], ['cache', 'increment'], ['users', 'get']]) {
    serve[`${service}.${command}`] = relay(service, command);
  }
  for (const name of ['cache', 'users', 'api']) {
    const env = { PM_NAME: name, ...(name === 'cache' ? { PM_CONFIG: '{"limit":100}' } : {}) };
    hosts[name] = new Host(t, { program: `${SHOP}${name}/commands.json`, env, serve, ...options[name] });
    assert.equal((await hosts[name].ready()).name, name);
  }
  return hosts;
}

test('greeting in the shop goes through users and cache', async (t) => {
  const { api, users, cache } = await shop(t);
  assert.equal((await api.ask('greet', ['Ada'])).result, 'Hello, Ada! You are customer 1, seen 1 time.');
  assert.equal((await api.ask('greet', ['Grace'])).result, 'Hello, Grace! You are customer 2, seen 1 time.');
  assert.equal((await api.ask('greet', ['Ada'])).result, 'Hello, Ada! You are customer 1, seen 2 times.');
  assert.deepEqual((await users.ask('get', ['ada'])).result, { number: 1, name: 'Ada' });
  assert.equal((await cache.ask('size')).result, 5);
  const { error } = await api.ask('greet', ['7']);
  assert.deepEqual([error.message, error.statusCode, error.code], ['"7" is no name', 400, 'NO_NAME']);
  await cache.ask('$stop', [null]);
  assert.equal((await cache.exited).code, 0);
  assert.equal(cache.stdout, 'cache for 100 values\ncache stops with 5 values\n');
});

test('the shop takes its greeting from the command line', async (t) => {
  const { api } = await shop(t, { api: { args: ['--greeting', 'Welcome'] } });
  assert.match((await api.ask('greet', ['Ada'])).result, /^Welcome, Ada!/);
});

test('dependencies of the shop are as its README says', () => {
  const dependencies = (name) => JSON.parse(readFileSync(`${SHOP}${name}/commands.json`)).dependencies;
  assert.deepEqual([dependencies('api'), dependencies('users'), dependencies('cache')], [['users', 'cache'], ['cache'], undefined]);
});

/** Runs an example program until the test ends. */
function run(t, file, { args = [], stdio = ['ignore', 'pipe', 'inherit'], env = {} } = {}) {
  const child = spawn(file, args, { stdio, env: { ...process.env, ...env } });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function firstLine(child, text) {
  let all = '';
  for await (const chunk of child.stdout) if ((all += chunk).includes(text)) return;
}

test('the ticker ticks', async (t) => {
  await firstLine(run(t, `${SHOP}ticker/ticker.js`, { args: ['1'] }), 'tick 1\ntick 2\n');
});

test('each program says that it is ready in its own way', async (t) => {
  const ipc = run(t, `${READINESS}ipc.js`, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  assert.deepEqual((await once(ipc, 'message'))[0], 'ready');
  const descriptor = run(t, `${READINESS}descriptor.js`, { stdio: ['ignore', 'ignore', 'inherit', 'ignore', 'pipe'] });
  assert.equal(String((await once(descriptor.stdio[4], 'data'))[0]), '\n');
  await firstLine(run(t, `${READINESS}log.js`), 'accepting work\n');
});

test('the listening examples listen', async (t) => {
  for (const [file, request, answer] of [['tcp.js', '', /^hello/], ['http.js', 'GET /health HTTP/1.0\r\n\r\n', /^HTTP\/1.1 (200|503)/]]) {
    const port = await freePort();
    run(t, READINESS + file, { args: [String(port)] });
    assert.match(await answerOf(port, request), answer);
  }
});

/** Connects as pm does: again and again until it is accepted. */
async function answerOf(port, request) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
    } catch {
      continue;
    }
    socket.write(request);
    return String((await once(socket, 'data'))[0]);
  }
}

/** Binds a datagram socket, prints its path, then what it gets. Node has no such sockets. */
const LISTENER = `
use strict; use Socket; use File::Temp 'tempdir'; $| = 1;
my $path = tempdir(CLEANUP => 1) . '/notify';
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($path)) or die;
print "$path\n"; recv($s, my $got, 4096, 0); print $got, "\n";`;

test('notify.pl sends the datagram of sd_notify', async (t) => {
  const listener = run(t, 'perl', { args: ['-e', LISTENER] });
  const lines = createInterface(listener.stdout)[Symbol.asyncIterator]();
  const { value: path } = await lines.next();
  run(t, `${READINESS}notify.pl`, { env: { NOTIFY_SOCKET: path } });
  assert.equal((await lines.next()).value, 'READY=1');
});
