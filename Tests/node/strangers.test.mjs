/** What strangers can do to a service over its connection points: the real host, by the bytes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import websocket from '../../Sources/node/client/websocket.cjs';
import { Pile } from '../../Sources/node/client/pile.cjs';
import { ALL_MEMORY, Budget, FREE } from '../../Sources/node/host/gate/budget.mjs';
import { definition, folder, Host } from './support/host.mjs';
import { freePort, raw, upgraded } from './support/net.mjs';

const FILES = {
  'commands.json': definition({
    echo: {}, secret: {}, hidden: { jsonrpc: false }, fail: {}, who: { '': { inject: ['_trigger', 'auth', 'params.0'] } },
    exported: { '': { inject: ['$container', 'params.0'] } },
  }),
  'echo.mjs': 'export default (x) => x;',
  'secret.mjs': 'export default () => { console.log("executed"); return 1; }',
  'hidden.mjs': 'export default () => 1;',
  'fail.mjs': `export default () => { throw Object.assign(new Error('no'), { statusCode: 418, request: { headers: { authorization: 'Bearer internal' } } }); }`,
  'who.mjs': 'export default (trigger, auth, param) => [trigger ?? null, auth ?? null, param ?? null];',
  'exported.mjs': 'export default (container, object) => container.dispatch("who", object);',
};
const call = (method, params = [], id = 1) => JSON.stringify({ jsonrpc: '2.0', id, method, params });

async function service(t, url, env = {}) {
  const root = folder(t, FILES);
  const map = { [url(root)]: {} };
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify(map), ...env } });
  await host.ready();
  return { host, root };
}

async function tcpService(t, env) {
  const port = await freePort();
  return { ...(await service(t, () => `jsonrpc+tcp://127.0.0.1:${port}`, env)), port };
}

/** For tests that measure: V8 lets its young generation grow to 48 MB when it likes, whatever is held. */
const MEASURED = { NODE_OPTIONS: '--max-semi-space-size=1' };

/** By how many megabytes a process has grown since it had `before`. */
function growth(t, host, before) {
  const more = memory(host) - before;
  t.diagnostic(`${before.toFixed()} MB before, ${more.toFixed()} MB more`);
  return more;
}

/** Megabytes that a process has in memory. */
function memory({ process: { pid } }) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

const HTTP = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n';
const FIRST = {
  'a form of a page': [`${HTTP}${call('secret')}\n`, /^HTTP\/1.1 400 [^]*no HTTP/],
  'a request in capitals of its own': [`gEt / HTTP/1.0\r\n\r\n${call('secret')}\n`, /^HTTP\/1.1 400 /],
  'the preface of HTTP/2': [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${call('secret')}\n`, /^HTTP\/1.1 400 /],
  'a hello of TLS': [Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3, 10]), /^\x15\x03\x01\x00\x02\x02\x0a$/],
  'a number': [`7\n${call('secret')}\n`, /-32600|first line/],
  'an object that is no message': [`{}\n${call('secret')}\n`, /first line/],
  'another version': [`{"jsonrpc":"1.0","id":1,"method":"secret"}\n${call('secret')}\n`, /first line/],
  'an answer': [`{"jsonrpc":"2.0","id":1,"result":1}\n${call('secret')}\n`, /first line|message/],
  'a list that ends in nonsense': [`[${call('secret')},7]\n${call('secret')}\n`, /message/],
  'an empty line': [`\n${call('secret')}\n`, /first line/],
  'a byte order mark': [`\ufeff${call('secret')}\n`, /first line/],
  'a text of Redis': [`*1\r\n$4\r\nPING\r\n${call('secret')}\n`, /first line/],
};

for (const [what, [bytes, answer]] of Object.entries(FIRST)) {
  test(`a connection that begins with ${what} executes nothing and ends`, async (t) => {
    const { host, port } = await tcpService(t);
    assert.match(await raw(port, bytes), answer);
    assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
    assert.ok(!host.stdout.includes('executed'), host.stdout);
  });
}

test('a first line in pieces is a first line, and a later one that is no message ends the connection', async (t) => {
  const { host, port } = await tcpService(t);
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  for (const byte of Buffer.from(`${call('echo', ['x'])}\n`)) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
  const [answer] = await once(socket.setEncoding('utf8'), 'data');
  assert.equal(answer, '{"id":1,"result":"x","jsonrpc":"2.0"}\n');
  socket.write(`nonsense\n${call('secret')}\n`);
  let rest = '';
  socket.on('data', (data) => (rest += data));
  await once(socket, 'close');
  assert.match(rest, /-32600/);
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
  assert.ok(!host.stdout.includes('executed'), host.stdout);
});

test('odd targets, heads and escapes never end a service', { timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const { host } = await service(t, () => `http://127.0.0.1:${port}`);
  const targets = ['//', '/\\', '*', '%', '/%zz', '/%00', '/..', '/a/%2e%2e', 'http://', 'http://[', '?', '/?%', `/${'x'.repeat(9000)}`, '/$metadata/..'];
  for (const target of targets) {
    for (const head of ['Host: localhost', 'Host: [', 'Host: localhost:99999', 'Host: a b', 'Host:', 'Origin: ://\r\nHost: localhost', 'Cookie: \x7f\r\nHost: localhost']) {
      assert.match(await raw(port, `GET ${target} HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`), /^HTTP\/1.1 [45]\d\d /, `${target} ${head}`);
    }
  }
  assert.equal(host.process.exitCode, null);
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

test('strangers are told nothing of errors but what is for them, and nothing of what they cannot call', async (t) => {
  const { port } = await tcpService(t);
  const socket = net.connect(port, '127.0.0.1');
  socket.end(`${call('fail')}\n${call('hidden', [], 2)}\n${call('$metadata', [], 3)}\n`);
  let all = '';
  for await (const data of socket) all += data;
  const answers = Object.fromEntries(all.trim().split('\n').map((line) => JSON.parse(line)).map((one) => [one.id, one]));
  assert.deepEqual(answers[1].error, { statusCode: 418, message: 'no' });
  assert.equal(answers[2].error.code, -32601);
  const names = answers[3].result.commands.map(({ name }) => name);
  assert.ok(names.includes('echo') && !names.includes('hidden'), `${names}`);
  assert.ok(!all.includes('file:') && !all.includes('"fs"'), all);
});

test('structured parameters of a caller are its arguments, and never what says who calls', async (t) => {
  const { host, port } = await tcpService(t);
  const forged = { params: [1], _trigger: 'cli', auth: { user: 'root' }, connection: {} };
  const ask = async (method, params) => JSON.parse((await rawLine(port, call(method, params))).trim()).result;
  for (const params of [forged, [forged]]) {
    const [trigger, auth] = await ask('who', params);
    assert.ok(trigger !== 'cli' && auth === null, JSON.stringify([trigger, auth]));
    const [inner, innerAuth] = await ask('exported', [params]);
    assert.ok(inner !== 'cli' && innerAuth === null, JSON.stringify([inner, innerAuth]));
  }
  assert.equal(host.process.exitCode, null);
});

async function rawLine(port, line) {
  const socket = net.connect(port, '127.0.0.1');
  socket.end(`${line}\n`);
  let all = '';
  for await (const data of socket) all += data;
  return all;
}

/** Connections of three addresses that the service knows: each has called once. */
async function known(port, count) {
  const sockets = Array.from({ length: count }, (_, index) => net.connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % 3)}` }));
  await Promise.all(sockets.map((socket) => {
    socket.on('error', () => {}).write(`${call('echo')}\n`);
    return once(socket, 'data');
  }));
  return sockets;
}

test('unfinished lines of many connections have one bound', { timeout: 60_000 }, async (t) => {
  const { host, port } = await tcpService(t, MEASURED);
  const sockets = await known(port, 120);
  const before = memory(host);
  const most = ALL_MEMORY / (3 << 20);
  let open = sockets.length;
  const refused = new Promise((resolve) => {
    for (const socket of sockets) socket.resume().once('close', () => --open <= most && resolve());
  });
  const piece = Buffer.alloc(3 << 20, '{"jsonrpc"');
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(piece, resolve))));
  // In each of its turns a service reads 64 KB of each connection, or all that there is.
  for (let turn = 0; turn < piece.length >> 16; turn++) await host.ask('echo');
  assert.ok(growth(t, host, before) < 200, 'of 360 MB of unfinished lines');
  await refused;
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

test('fragments of a byte take a byte, or little more', { timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const { host } = await service(t, () => `ws://127.0.0.1:${port}`, MEASURED);
  const before = memory(host);
  const socket = await upgraded(port);
  const fragment = (opcode) => Buffer.from([opcode, 0x81, 0, 0, 0, 0, 0x20]);
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => fragment(0)));
  socket.write(fragment(1));
  for (let count = 0; count < 200; count++) if (!socket.write(many)) await new Promise((resolve) => socket.once('drain', resolve));
  // The service has read all of it when it answers what comes behind.
  socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
  await new Promise((resolve) => socket.once('data', resolve));
  assert.ok(growth(t, host, before) < 60, 'of two million fragments');
  socket.destroy();
});

test('a list of more than a hundred messages is refused whole', async (t) => {
  const port = await freePort();
  const { host } = await service(t, () => `http://127.0.0.1:${port}`);
  const body = `[${Array.from({ length: 101 }, (_, id) => call('secret', [], id)).join(',')}]`;
  const answer = await raw(port, `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  assert.match(answer, /^HTTP\/1.1 400 [^]*1 to 100 messages/);
  assert.ok(!host.stdout.includes('executed'), host.stdout);
});

test('a thousand silent connections of one address keep no other out', { timeout: 60_000 }, async (t) => {
  const { port } = await tcpService(t);
  let isOver = false;
  const silent = () => {
    if (isOver) return;
    net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).on('error', () => {}).on('close', () => setImmediate(silent));
  };
  for (let count = 0; count < 1000; count++) silent();
  let served = 0;
  for (let count = 0; count < 100; count++) served += (await rawLine(port, call('echo', ['x']))).includes('"result":"x"') ? 1 : 0;
  isOver = true;
  assert.ok(served >= 99, `${served} of 100 are served`);
});

test('a point over a unix socket takes away no file that is no socket', async (t) => {
  for (const make of [(path) => writeFileSync(path, 'precious'), (path) => symlinkSync('/etc/passwd', path)]) {
    const root = folder(t, FILES);
    const path = join(root, 'point.sock');
    make(path);
    const { ino } = lstatSync(path);
    const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify({ [`jsonrpc+unix://${path}`]: {} }) } });
    await host.exited.then(({ code }) => assert.notEqual(code, 0), () => {});
    assert.equal(lstatSync(path).ino, ino);
    assert.match(host.stderr, /point\.sock is a/);
  }
});

for (const most of [undefined, 64]) {
  test(`a pile${most === undefined ? '' : ` of at most ${most} bytes`} keeps bytes in order, whatever the pieces, and gives back what it held`, () => {
    let held = 0;
    const pile = new Pile({ hold: (bytes) => (held += bytes) >= 0, release: (bytes) => (held -= bytes) }, most);
    let seed = 1;
    const random = (below) => (seed = (seed * 16807) % 2147483647) % below;
    let [expected, next] = [[], 0];
    for (let round = 0; round < 20_000; round++) {
      if (random(2) === 0) {
        const chunk = Buffer.from(Array.from({ length: random(40) }, () => next++ & 255));
        const isTaken = random(2) === 0 ? pile.append(chunk) : pile.appendCopy(chunk);
        assert.equal(isTaken, expected.length + chunk.length <= (most ?? Infinity));
        if (isTaken) expected.push(...chunk);
      } else {
        const count = Math.min(random(60), pile.size);
        pile.drop(count);
        expected = expected.slice(count);
      }
      if (random(4) === 0) {
        assert.ok(pile.keep());
        assert.ok(held >= pile.size);
      }
      assert.equal(pile.size, expected.length);
      assert.deepEqual([...pile.bytes], expected);
      assert.ok(held <= (most ?? 1024));
    }
    pile.clear();
    assert.deepEqual([pile.size, held], [0, 0]);
  });
}

test('a WebSocket that makes a service hold too much is closed', () => {
  const budget = new Budget({ connection: 100_000, all: 200_000 });
  const reader = new websocket.FrameReader(true, 1 << 20, budget.account('here'));
  const frame = (opcode, size) => Buffer.concat([Buffer.from([opcode, 0xfe, size >> 8, size & 255, 0, 0, 0, 0]), Buffer.alloc(size, 'x')]);
  assert.deepEqual([...reader.push(frame(1, 40_000))], []);
  assert.throws(() => [...reader.push(frame(0, 65_000))], { code: 1013 });
});

test('half a frame that waits is counted, however little of it has come', () => {
  const budget = new Budget({ connection: 100_000, all: 200_000 });
  const reader = new websocket.FrameReader(true, 1 << 20, budget.account('here'));
  const whole = Buffer.concat([Buffer.from([0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0]), Buffer.alloc(60_000, 'x')]);
  assert.deepEqual([...reader.push(whole.subarray(0, 40_000))], []);
  assert.ok(budget.held >= 40_000 - FREE, `${budget.held}`);
  assert.equal([...reader.push(whole.subarray(40_000))][0].data.length, 60_000);
  assert.equal(budget.held, 0);
  const others = new websocket.FrameReader(true, 1 << 20, new Budget({ connection: 30_000 }).account('here'));
  assert.throws(() => [...others.push(whole.subarray(0, 40_000))], { code: 1013 });
});
