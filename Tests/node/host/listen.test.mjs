import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { connect, connectByPreference } from '../../../Sources/node/client/index.mjs';
import { definition, folder, Host } from '../support/host.mjs';
import { freePort, raw } from '../support/net.mjs';

const FILES = {
  'commands.json': definition({
    echo: {}, endless: { '': { inject: ['signal'] } }, sum: {}, fail: {}, wait: { '': { inject: ['signal'] } }, $stop: {},
  }),
  'echo.mjs': 'export default (x) => x;',
  'endless.mjs': `export default async function* (signal) {
    signal.addEventListener('abort', () => console.log('aborted'));
    for (let n = 0; ; n++) { yield { n, text: 'x'.repeat(1000) }; if (n % 100 === 0) { await new Promise(setImmediate); console.log('at', n); } }
  }`,
  'sum.mjs': 'export default async (numbers) => { let sum = 0; for await (const n of numbers) sum += n; return sum; }',
  'fail.mjs': 'export default (m) => { throw Object.assign(new Error(m), { statusCode: 418, code: "TEAPOT" }); }',
  'wait.mjs': `export default (signal) => new Promise((_, reject) => {
    console.log('waits'); signal.addEventListener('abort', () => { console.log('given up'); reject(signal.reason); }); });`,
  'stop.mjs': 'export default () => { console.log("stopping"); }',
};

/** A key and a certificate of its own. */
function certificate(root, name = 'svc') {
  const [key, cert] = [join(root, `${name}.key`), join(root, `${name}.crt`)];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...request, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

/** A host that listens at these points; `points` gets its folder. */
async function listening(t, points) {
  const root = folder(t, FILES);
  const map = await points(root);
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify(map) } });
  await host.ready();
  return { host, map, root };
}

async function every(root) {
  const tlsOptions = certificate(root);
  const [tcp, tcpTLS, web, webTLS] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  return {
    [`jsonrpc+unix://${root}/plain.sock`]: {}, [`jsonrpc+unix+tls://${root}/secure.sock`]: tlsOptions,
    [`jsonrpc+tcp://127.0.0.1:${tcp}`]: {}, [`jsonrpc+tcp+tls://127.0.0.1:${tcpTLS}`]: tlsOptions,
    [`ws://127.0.0.1:${web}`]: {}, [`http://127.0.0.1:${web}`]: {},
    [`wss://127.0.0.1:${webTLS}`]: tlsOptions, [`https://127.0.0.1:${webTLS}`]: tlsOptions,
  };
}

test('all transports carry calls, errors, streams and their end', async (t) => {
  const { host, map } = await listening(t, every);
  for (const url of Object.keys(map)) {
    const { container, processor } = await connectByPreference({ [url]: map[url] });
    assert.equal(container.name, 'svc', url);
    assert.deepEqual(await container.dispatch('echo', { text: 'é€😀', deep: [1, null] }), { text: 'é€😀', deep: [1, null] });
    const big = 'x'.repeat(3_000_000);
    assert.equal(await container.dispatch('echo', big), big);
    const many = await Promise.all(Array.from({ length: 200 }, (_, n) => container.dispatch('echo', n)));
    assert.deepEqual(many, Array.from({ length: 200 }, (_, n) => n), url);
    await assert.rejects(container.dispatch('fail', 'm'), { message: 'm', statusCode: 418, code: 'TEAPOT' });
    await assert.rejects(container.dispatch('nope'), { code: -32601 });
    // Stopping is the daemon's business.
    await assert.rejects(container.dispatch('$stop'), { code: -32601 });
    let count = 0;
    for await (const { n } of await container.dispatch('endless')) {
      assert.equal(n, count);
      if (++count === 300) break;
    }
    await host.prints('aborted');
    host.stdout = '';
    await assert.rejects(container.with({ timeout: 100 }).dispatch('wait'), { statusCode: 504, code: 'PM_DEADLINE' });
    await host.prints('given up');
    host.stdout = '';
    if (!url.startsWith('http')) {
      const numbers = async function* () { for (let n = 1; n <= 1000; n++) yield n; };
      assert.equal(await container.dispatch('sum', numbers()), 500_500, url);
    }
    container.close();
    assert.equal(processor.isClosed, true);
    assert.equal(await container.dispatch('echo', 'again'), 'again', url);
    container.close();
  }
});

test('a slow reader slows the service down, over every transport', async (t) => {
  const { host, map } = await listening(t, every);
  for (const url of Object.keys(map)) {
    const { container } = await connectByPreference({ [url]: map[url] });
    const stream = await container.dispatch('endless');
    const [pieces] = [stream[Symbol.asyncIterator]()];
    await pieces.next();
    let [last, same] = ['', 0];
    // Nobody reads on: it comes to a stop.
    while (same < 5) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      same = last === host.stdout ? same + 1 : 0;
      last = host.stdout;
    }
    await pieces.return();
    await host.prints('aborted');
    host.stdout = '';
    container.close();
  }
});

test('connections of one\'s own are named by transport', async (t) => {
  const { map } = await listening(t, every);
  const port = (scheme) => Number(new URL(Object.keys(map).find((url) => url.startsWith(`${scheme}:`)).replace(/^[a-z+]+/, 'http')).port);
  const { ca } = { ca: map[Object.keys(map).find((url) => url.startsWith('wss'))].cert };
  for (const configuration of [
    { http: new URL(`http://127.0.0.1:${port('http')}`) },
    { ws: new URL(`ws://127.0.0.1:${port('ws')}`), http: new URL('http://127.0.0.1:1') },
    { 'jsonrpc+tcp': { host: 'localhost', port: port('jsonrpc+tcp') } },
    { 'jsonrpc+tcp': { port: 1 }, http: `http://127.0.0.1:${port('http')}` },
    { wss: { host: '127.0.0.1', port: port('wss'), cert: ca } },
  ]) {
    const { container, connect: points } = await connect('my-app', configuration);
    assert.equal(await container.dispatch('echo', 1), 1);
    assert.equal(Object.keys(await points).length, Object.keys(configuration).length);
    container.close();
  }
  await assert.rejects(connect('my-app', { 'jsonrpc+tcp': { port: 1 } }), { code: 'ECONNREFUSED' });
});

test('a certificate that is not the one of the map, and no name of the host, is not trusted', async (t) => {
  const { map, root } = await listening(t, every);
  const other = certificate(root, 'other');
  for (const scheme of ['jsonrpc+unix+tls', 'jsonrpc+tcp+tls', 'wss', 'https']) {
    const url = Object.keys(map).find((key) => key.startsWith(`${scheme}:`));
    await assert.rejects(connectByPreference({ [url]: { cert: other.cert } }).then(({ container }) => container.dispatch('echo')), scheme);
    await assert.rejects(connectByPreference({ [url]: {} }), scheme);
    // Signed by whom we trust, but for another name.
    await assert.rejects(connectByPreference({ [url]: { ca: map[url].cert } }), scheme);
    const { container } = await connectByPreference({ [url]: { ca: map[url].cert, servername: 'svc' } });
    assert.equal(await container.dispatch('echo', 'x'), 'x');
    container.close();
  }
});

test('with an authority, clients need a certificate', async (t) => {
  let client;
  const port = await freePort();
  const { map } = await listening(t, (root) => {
    client = certificate(root, 'client');
    return { [`jsonrpc+tcp+tls://127.0.0.1:${port}`]: { ...certificate(root), ca: client.cert } };
  });
  const [[url, { cert }]] = Object.entries(map);
  await assert.rejects(connectByPreference({ [url]: { cert } }).then(({ container }) => container.dispatch('echo')));
  const { container } = await connectByPreference({ [url]: { ...client, ca: cert, servername: 'svc' } });
  assert.equal(await container.dispatch('echo', 1), 1);
  container.close();
});

test('HTTP takes JSON-RPC and nothing else', async (t) => {
  const port = await freePort();
  await listening(t, () => ({ [`http://127.0.0.1:${port}`]: {} }));
  const ask = async (path, options) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, options);
    return [response.status, await response.text()];
  };
  const post = (body, headers = {}) => ask('/rpc', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  const call = (id, method, params = []) => JSON.stringify({ jsonrpc: '2.0', id, method, params });
  assert.deepEqual(await post(call(1, 'echo', ['x'])), [200, '{"id":1,"result":"x","jsonrpc":"2.0"}\n']);
  assert.deepEqual(await post(`[${call(1, 'echo', ['x'])},${call(2, 'echo', [2])}]`), [
    200, '[{"id":1,"result":"x","jsonrpc":"2.0"},{"id":2,"result":2,"jsonrpc":"2.0"}]\n',
  ]);
  assert.deepEqual(await post('{"jsonrpc":"2.0","method":"echo","params":[1]}'), [204, '']);
  assert.equal((await post('{'))[0], 400);
  assert.deepEqual([(await post('7'))[0], (await post('null'))[0]], [400, 400]);
  assert.equal((await post('{"jsonrpc":"2.0","id":1,"method":"sum","stream":true,"params":[]}'))[0], 400);
  assert.equal((await post(call(1, 'echo'), { origin: 'http://evil.example' }))[0], 403);
  assert.equal((await post(call(1, 'echo'), { 'content-type': 'text/plain' }))[0], 415);
  assert.equal((await ask('/rpc'))[0], 405);
  assert.equal((await ask('/other'))[0], 404);
  assert.equal(JSON.parse((await ask('/$metadata'))[1]).commands.length, 5);
  // Two lengths, and a length beside chunks: forms that two parsers read differently.
  for (const header of ['Content-Length: 3\r\nContent-Length: 4', 'Content-Length: 3\r\nTransfer-Encoding: chunked']) {
    const answer = await raw(port, `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${header}\r\n\r\nabc`);
    assert.match(answer, /^HTTP\/1.1 400 /, header);
  }
  assert.match(await raw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'), /^HTTP\/1.1 400 /);
});

test('a WebSocket is only opened in the right way', async (t) => {
  const port = await freePort();
  const { host, map } = await listening(t, () => ({ [`ws://127.0.0.1:${port}`]: {} }));
  const upgrade = (headers) => raw(port, `GET / HTTP/1.1\r\nHost: localhost:1\r\n${headers}\r\n\r\n`);
  const right = 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  assert.match(await upgrade(`${right}Sec-WebSocket-Version: 8`), /^HTTP\/1.1 426 .*\r\nSec-WebSocket-Version: 13/);
  assert.match(await upgrade('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13'), /^HTTP\/1.1 400 /);
  assert.match(await upgrade(`${right}Sec-WebSocket-Version: 13\r\nOrigin: http://evil.example`), /^HTTP\/1.1 403 /);
  assert.match(await raw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 426 /);
  // A gigabyte that is announced, and a frame without a mask: closed with the reason.
  const open = `GET / HTTP/1.1\r\nHost: localhost\r\n${right}Sec-WebSocket-Version: 13\r\n\r\n`;
  const giant = Buffer.concat([Buffer.from(open), Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0])]);
  assert.match(await raw(port, giant), /\x88.\x03\xf1a message is longer/s);
  assert.match(await raw(port, Buffer.concat([Buffer.from(open), Buffer.from([0x81, 1, 0x78])])), /\x88.\x03\xeaa client must mask/s);
  const { container } = await connectByPreference(map);
  assert.equal(await container.dispatch('echo', 'still'), 'still');
  container.close();
  assert.equal(host.process.exitCode, null);
});

test('a handshake that stalls disturbs nobody', async (t) => {
  const port = await freePort();
  const { map } = await listening(t, (root) => ({ [`jsonrpc+tcp+tls://127.0.0.1:${port}`]: certificate(root) }));
  const stalled = Array.from({ length: 20 }, () => net.connect({ port, host: '127.0.0.1' }));
  for (const socket of stalled) socket.on('error', () => {}).write(Buffer.from([0x16, 3, 1]));
  const plain = await raw(port, 'not TLS at all\n');
  assert.ok(plain.length < 10);
  const { container } = await connectByPreference(map);
  assert.equal(await container.dispatch('echo', 'x'), 'x');
  container.close();
  for (const socket of stalled) socket.destroy();
});

test('a socket file that nobody serves is replaced, one that somebody serves is an error', async (t) => {
  const root = folder(t, FILES);
  const path = join(root, 'svc.sock');
  const env = { PM_CONNECT: JSON.stringify({ [`jsonrpc+unix://${path}`]: {} }) };
  const first = new Host(t, { program: join(root, 'commands.json'), env });
  await first.ready();
  const second = new Host(t, { program: join(root, 'commands.json'), env });
  assert.notEqual((await second.exited).code, 0);
  assert.match(second.stderr, /cannot listen at jsonrpc\+unix:.*svc\.sock: .*EADDRINUSE/);
  first.process.kill('SIGKILL');
  await first.exited;
  assert.ok(existsSync(path));
  const third = new Host(t, { program: join(root, 'commands.json'), env });
  await third.ready();
  const { container } = await connectByPreference({ [`jsonrpc+unix://${path}`]: {} });
  assert.equal(await container.dispatch('echo', 3), 3);
  container.close();
  third.process.kill('SIGTERM');
  await third.exited;
  assert.ok(!existsSync(path));
});

test('stopping answers what is under way, and closes', async (t) => {
  const port = await freePort();
  const { host, map } = await listening(t, () => ({ [`jsonrpc+tcp://127.0.0.1:${port}`]: {} }));
  const { container, processor } = await connectByPreference(map);
  const closed = new Promise((resolve) => processor.onClose(resolve));
  assert.equal(await container.dispatch('echo', 1), 1);
  host.write('{"jsonrpc":"2.0","id":"s","method":"$stop","params":[null]}\n');
  await closed;
  assert.equal((await host.exited).code, 0);
});

for (const [what, map, says] of [
  ['an unknown transport', { 'gopher://x': {} }, /there is no such transport/],
  ['TLS without a key', { 'jsonrpc+tcp+tls://127.0.0.1:1': {} }, /TLS needs the options "key" and "cert"/],
  ['a certificate that is not there', { 'wss://127.0.0.1:1': { key: '/no/key.pem', cert: '/no/cert.pem' } }, /ENOENT.*key\.pem/],
  ['a folder that is not there', { 'jsonrpc+unix:///no/such/folder/x.sock': {} }, /cannot listen at jsonrpc\+unix:\/\/\/no/],
]) {
  test(`a service does not start with ${what}`, async (t) => {
    const root = folder(t, FILES);
    const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify(map) } });
    assert.notEqual((await host.exited).code, 0);
    assert.match(host.stderr, says);
  });
}
