import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connectByPreference, sidecar } from '../../../Sources/node/client/index.mjs';
import websocket from '../../../Sources/node/client/wire/websocket.cjs';
import { definition, folder, Host } from '../support/host.mjs';
import { freePort, upgraded } from '../support/net.mjs';

/** What goes wrong on the way, and what changes while a service runs. */
const FILES = {
  'commands.json': definition({ echo: {} }),
  'echo.mjs': 'export default (x) => x;',
};
const METADATA = { name: 'svc', commands: [] };

/** A server that a test answers for; resolves with its port. */
async function serving(t, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A net.Server has no closeAllConnections.
  server.on('connection', (socket) => t.after(() => socket.destroy()));
  t.after(() => server.close());
  return server.address().port;
}

async function listening(t, root, map) {
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify(map) } });
  await host.ready();
  return host;
}

// MARK: HTTP

for (const [what, answer, expected] of [
  ['broken off', (response) => response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 100 }).write('{"id":', () => response.destroy()), { statusCode: 503, retry: true }],
  ['closed before its head', (response) => response.socket.destroy(), { statusCode: 503, retry: true }],
  ['empty', (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(), { statusCode: 502 }],
  ['for another call', (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"jsonrpc":"2.0","id":"other","result":1}'), { statusCode: 502 }],
  ['no message', (response) => response.writeHead(413, { 'Content-Type': 'application/json' }).end('{"statusCode":413}'), { statusCode: 413 }],
  ['no JSON', (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'), { statusCode: 502 }],
]) {
  test(`a call over HTTP whose answer is ${what} fails`, { timeout: 20_000 }, async (t) => {
    const port = await serving(t, http.createServer((request, response) => request.resume().on('end', () => answer(response))));
    const { container } = await connectByPreference({ [`http://127.0.0.1:${port}`]: {} }, { metadata: METADATA });
    await assert.rejects(container.dispatch('echo', 1), expected);
    container.close();
  });
}

test('a stream over HTTP that ends without its end fails', { timeout: 20_000 }, async (t) => {
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part)).on('end', () => {
      const { id } = JSON.parse(text);
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.write(`${JSON.stringify({ id, stream: true, result: {}, jsonrpc: '2.0' })}\n`);
      response.end(`${JSON.stringify({ id, result: { event: 'data', isBuffer: false, data: 'one' }, jsonrpc: '2.0' })}\n`);
    });
  });
  const { container } = await connectByPreference({ [`http://127.0.0.1:${await serving(t, server)}`]: {} }, { metadata: METADATA });
  const seen = [];
  await assert.rejects(async () => {
    for await (const piece of await container.dispatch('stream')) seen.push(piece);
  }, { statusCode: 502 });
  assert.deepEqual(seen, ['one']);
  container.close();
});

// MARK: connecting

test('nothing is connected for a signal that was aborted before', async (t) => {
  let connections = 0;
  const port = await serving(t, net.createServer(() => connections++));
  const signal = AbortSignal.abort(new Error('not wanted'));
  await assert.rejects(connectByPreference({ [`jsonrpc+tcp://127.0.0.1:${port}`]: {} }, { metadata: METADATA, signal }), /not wanted/);
  await once(net.connect(port, '127.0.0.1'), 'connect').then(() => after(20));
  assert.equal(connections, 1);
});

test('a path that fits into no socket is named, with its length', async (t) => {
  const path = `/tmp/${'long/'.repeat(30)}svc.sock`;
  const url = `jsonrpc+unix://${path}`;
  await assert.rejects(connectByPreference({ [url]: {} }), { statusCode: 400, code: 'ENAMETOOLONG', message: /163 bytes.*107/ });
  await assert.rejects(sidecar({ pmSock: path }).svc, { code: 'ENAMETOOLONG' });
  const root = folder(t, FILES);
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify({ [url]: {} }) } });
  assert.notEqual((await host.exited).code, 0);
  assert.match(host.stderr, /cannot listen at jsonrpc\+unix:.*: its path has 163 bytes, and at most 107 fit/);
});

test('a WebSocket that wants what was not asked for is refused', async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).once('data', (data) => {
      const key = /Sec-WebSocket-Key: (\S+)/i.exec(String(data))[1];
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + `Sec-WebSocket-Accept: ${websocket.acceptKey(key)}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`);
    });
  });
  await assert.rejects(connectByPreference({ [`ws://127.0.0.1:${await serving(t, server)}`]: {} }), /permessage-deflate, which was not asked for/);
});

test('a line of more than 64 MB that does not tell whose it is ends a connection of a client', { timeout: 60_000 }, async (t) => {
  const server = net.createServer((socket) => {
    const piece = Buffer.alloc(1 << 20, 'x');
    const send = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('error', () => {}).once('data', send).on('drain', send);
  });
  const map = { [`jsonrpc+tcp://127.0.0.1:${await serving(t, server)}`]: {} };
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(connectByPreference(map), { code: 'PM_DISCONNECTED', message: /the answer is too long: a message has at most 67108864 bytes/ });
  // The buffer doubles: for a moment there are two.
  assert.ok(process.memoryUsage().arrayBuffers - before < 200 << 20);
});

// MARK: calls that are made again

/** A service on TCP that breaks the connection off at the first calls of `echo`, and answers later ones. */
async function breaking(t, failures) {
  const seen = [];
  const port = await serving(t, net.createServer((socket) => {
    socket.setEncoding('utf8').on('error', () => {}).on('data', (text) => {
      for (const { id, method } of text.split('\n').filter(Boolean).map((line) => JSON.parse(line))) {
        if (method !== 'echo') continue;
        seen.push(id);
        if (seen.length <= failures) socket.destroy();
        else socket.write(`${JSON.stringify({ id, result: 'done', jsonrpc: '2.0' })}\n`);
      }
    });
  }));
  const connect = (config) => connectByPreference({ [`jsonrpc+tcp://127.0.0.1:${port}`]: {} }, { metadata: { name: 'svc', commands: [{ name: 'echo', config }] } });
  return { seen, connect };
}

test('only what is idempotent is called again, and no stream is sent twice', async (t) => {
  const { seen, connect } = await breaking(t, 4);
  const { container } = await connect({ '': { idempotent: true } });
  assert.equal(await container.dispatch('echo', 1), 'done');
  assert.equal(seen.length, 5);
  const again = await breaking(t, 1);
  const plain = await again.connect({});
  await assert.rejects(plain.container.dispatch('echo', 1), { code: 'PM_DISCONNECTED', retry: true });
  assert.equal(again.seen.length, 1);
  const streaming = await breaking(t, 1);
  const other = await streaming.connect({ '': { idempotent: true } });
  const numbers = (async function* () { yield 1; })();
  await assert.rejects(other.container.dispatch('echo', numbers), { code: 'PM_DISCONNECTED' });
  assert.equal(streaming.seen.length, 1);
  for (const each of [container, plain.container, other.container]) each.close();
});

test('a service that fails with an error that says so is asked again only for what is idempotent', async (t) => {
  let asked = 0;
  const port = await serving(t, net.createServer((socket) => {
    socket.setEncoding('utf8').on('error', () => {}).on('data', (text) => {
      for (const { id } of text.split('\n').filter(Boolean).map((line) => JSON.parse(line))) {
        const error = { message: 'busy', statusCode: 503, retry: ++asked !== 2 };
        socket.write(`${JSON.stringify({ id, error, jsonrpc: '2.0' })}\n`);
      }
    });
  }));
  const metadata = { name: 'svc', commands: [{ name: 'get', config: { jsonrpc: { idempotent: true } } }, { name: 'put', config: {} }] };
  const { container } = await connectByPreference({ [`jsonrpc+tcp://127.0.0.1:${port}`]: {} }, { metadata });
  await assert.rejects(container.dispatch('get'), { message: 'busy' });
  // The second answer says that asking again makes no sense.
  assert.equal(asked, 2);
  await assert.rejects(container.dispatch('put'), { message: 'busy', retry: true });
  assert.equal(asked, 3);
  container.close();
});

// MARK: certificates

function openssl(root, words) {
  execFileSync('openssl', words.split(' '), { cwd: root, stdio: 'ignore' });
}

/** A certificate that an authority has signed, in files of these names. */
function issue(root, name, subject) {
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  openssl(root, `req -x509 ${key} -days 2 -subj /CN=authority-of-${subject} -keyout ${name}-ca.key -out ${name}-ca.pem`);
  openssl(root, `req -new ${key} -subj /CN=${subject} -keyout ${name}.key -out ${name}.csr`);
  openssl(root, `x509 -req -days 2 -in ${name}.csr -CA ${name}-ca.pem -CAkey ${name}-ca.key -CAcreateserial -out ${name}.pem`);
  return { key: join(root, `${name}.key`), cert: join(root, `${name}.pem`) };
}

test('the certificate of a map is trusted, whoever has signed it', { skip: !partialChains() }, async (t) => {
  const root = folder(t, FILES);
  const files = issue(root, 'svc', 'svc');
  const other = issue(root, 'other', 'svc');
  const [tcp, web] = [await freePort(), await freePort()];
  const urls = [`jsonrpc+tcp+tls://127.0.0.1:${tcp}`, `https://127.0.0.1:${web}`, `wss://127.0.0.1:${web}`];
  await listening(t, root, Object.fromEntries(urls.map((url) => [url, files])));
  for (const url of urls) {
    const { container } = await connectByPreference({ [url]: { cert: files.cert } });
    assert.equal(await container.dispatch('echo', url), url);
    container.close();
    await assert.rejects(connectByPreference({ [url]: { cert: other.cert } }), url);
  }
});

/** Node 20.18 and later trust a certificate that is not its own authority. */
function partialChains() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 9) || (major === 20 && minor >= 18);
}

/** Replaces files as tools that renew certificates do: at once. */
function replace(root, from, to) {
  for (const part of ['key', 'pem']) renameSync(join(root, `${from}.${part}`), join(root, `${to}.${part}`));
}

test('a service shows the certificate that is in its files now', { skip: !partialChains() }, async (t) => {
  const root = folder(t, FILES);
  const files = issue(root, 'svc', 'one');
  const [tcp, web] = [await freePort(), await freePort()];
  const urls = [`jsonrpc+tcp+tls://127.0.0.1:${tcp}`, `https://127.0.0.1:${web}`, `wss://127.0.0.1:${web}`];
  const host = await listening(t, root, Object.fromEntries(urls.map((url) => [url, files])));
  const earlier = await Promise.all(urls.map((url) => connectByPreference({ [url]: { cert: files.cert } })));
  issue(root, 'next', 'two');
  replace(root, 'next', 'svc');
  for (const url of urls) {
    // The files name another certificate now, and so does the map.
    const { container } = await connectByPreference({ [url]: { cert: files.cert } });
    assert.equal(await container.dispatch('echo', url), url);
    container.close();
  }
  // Connections that are open go on, and one over HTTP gets over its own next one.
  for (const { container } of earlier) {
    await container.dispatch('echo', 1).catch(() => {});
    assert.equal(await container.dispatch('echo', 1), 1);
    container.close();
  }
  // Half written, or not of one pair: the one before stays, and it is told.
  writeFileSync(files.cert, 'no certificate');
  const { container } = await connectByPreference({ [urls[0]]: { ca: join(root, 'next-ca.pem'), servername: 'two' } });
  assert.equal(await container.dispatch('echo', 2), 2);
  container.close();
  await host.says(`pm: ${urls[0]} keeps its certificate: `);
});

// MARK: WebSockets of hostile clients

const MASK = Buffer.from([0, 0, 0, 0]);
const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125]), MASK, Buffer.alloc(125, 'x')]);

test('who pings and reads nothing is not read from', { timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const root = folder(t, FILES);
  await listening(t, root, { [`ws://127.0.0.1:${port}`]: {} });
  const socket = await upgraded(port);
  socket.pause();
  const many = Buffer.concat(Array.from({ length: 8000 }, () => ping));
  // What the kernel holds in both directions is a few megabytes.
  let sent = 0;
  for (; sent < 64 << 20; sent += many.length) {
    if (!socket.write(many) && (await Promise.race([once(socket, 'drain'), after(1000, 'stuck')])) === 'stuck') break;
  }
  assert.ok(sent < 48 << 20, `${sent} bytes were taken`);
  // Every ping is answered once somebody reads.
  let pongs = 0;
  socket.on('data', (data) => (pongs += data.length)).resume();
  while (pongs < ((sent + many.length) / ping.length) * 127) await once(socket, 'data');
  socket.destroy();
});

test('a peer that goes on sending after a close is closed all the same', { timeout: 20_000 }, async (t) => {
  const server = net.createServer((socket) => {
    const connection = new websocket.WebSocketConnection(socket, { isServer: true }, { message: () => {}, closed: () => {} });
    connection.close(1001, 'going');
  });
  const socket = net.connect(await serving(t, server), '127.0.0.1').on('error', () => {}).resume();
  const timer = setInterval(() => socket.write(ping), 50);
  await once(socket, 'close');
  clearInterval(timer);
});

test('frames of nothing take no memory', () => {
  const reader = new websocket.FrameReader(true, 1000);
  const nothing = Buffer.concat([Buffer.from([0x00, 0x80]), MASK]);
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => nothing));
  assert.deepEqual([...reader.push(Buffer.concat([Buffer.from([0x01, 0x81]), MASK, Buffer.from('a')]))], []);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const held = () => collect() ?? process.memoryUsage().heapUsed;
  const before = held();
  for (let round = 0; round < 20; round++) assert.deepEqual([...reader.push(many)], []);
  const more = held() - before;
  assert.ok(more < 4 << 20, `${more} bytes`);
  assert.deepEqual([...reader.push(Buffer.concat([Buffer.from([0x80, 0x81]), MASK, Buffer.from('b')]))], [{ kind: 'text', data: 'ab' }]);
});
