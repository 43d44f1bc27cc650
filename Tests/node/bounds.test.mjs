/** How much strangers can make a service hold: the real host, at each of its bounds (Docs/Reliability.md). */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import websocket from '../../Sources/node/client/wire/websocket.cjs';
import { Pile } from '../../Sources/node/client/wire/pile.cjs';
import { ALL_MEMORY, Budget, FREE } from '../../Sources/node/host/gate/budget.mjs';
import { Doorkeeper } from '../../Sources/node/host/gate/doorkeeper.mjs';
import { hostOf } from './support/host.mjs';
import { freePort, raw, upgraded } from './support/net.mjs';
import { call, growth, known, MEASURED, memory, rawLine, service, tcpService } from './support/service.mjs';

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

const FIVE_MEGABYTES = Buffer.alloc(5 << 20, 'x');

test('a line, a message and a body of more than 4 MB end the connection, with the reason', async (t) => {
  const { host, port } = await tcpService(t);
  for (const line of [`{"x":"${FIVE_MEGABYTES}`, `${call('echo', [`${FIVE_MEGABYTES}`])}\n`]) {
    assert.match(await raw(port, line), /-32600.*a line has at most 4194304 bytes/);
  }
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
  const web = await freePort();
  await service(t, () => `http://127.0.0.1:${web}`);
  const head = 'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.match(await raw(web, Buffer.concat([Buffer.from(`${head}500000\r\n`), FIVE_MEGABYTES])), /^HTTP\/1.1 413 /);
  const ws = await freePort();
  await service(t, () => `ws://127.0.0.1:${ws}`);
  const socket = await upgraded(ws);
  // A frame whose length is announced, and a message whose frames are small.
  socket.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x50, 0, 0, 0, 0, 0, 0]));
  assert.match(String((await once(socket, 'data'))[0]), /a message is longer than 4194304 bytes/);
  const other = await upgraded(ws);
  const frame = (opcode) => Buffer.concat([Buffer.from([opcode, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]), FIVE_MEGABYTES.subarray(0, 1 << 20)]);
  other.write(Buffer.concat([frame(1), ...Array.from({ length: 5 }, () => frame(0))]));
  assert.match(String((await once(other, 'data'))[0]), /a message is longer than 4194304 bytes/);
});

// MARK: requests at work

for (const piece of ['[1]', '{"a":{}}', '"x"']) {
  test(`requests at work have one bound in memory, also when they are made of ${piece}`, { timeout: 120_000 }, async (t) => {
    const { host, port } = await tcpService(t);
    const sockets = await known(port, 15);
    const before = memory(host);
    const values = Array(Math.floor((4e6 - 200) / (piece.length + 1))).fill(piece).join(',');
    const line = `${call('wait', [[]]).replace('[[]]', `[[${values}]]`)}\n`;
    let refused = 0;
    const some = new Promise((resolve) => {
      for (const socket of sockets) socket.on('data', (data) => String(data).includes('"statusCode":503') && (refused++, resolve()));
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(line, resolve))));
    await some;
    // What was refused is garbage until V8 looks for it.
    for (let turn = 0; turn < 64; turn++) await host.ask('echo');
    assert.ok(growth(t, host, before) < 450, `${15 - refused} requests of 4 MB`);
    for (const socket of sockets) socket.destroy();
    // Who leaves makes room.
    const [next] = await known(port, 1);
    next.write(`${call('echo', [[1]], 7)}\n`);
    assert.match(String((await once(next, 'data'))[0]), /"id":7,"result":\[1\]/);
    next.destroy();
  });
}

test('a connection has 1,024 requests at work', async (t) => {
  const { host, port } = await tcpService(t);
  const [socket] = await known(port, 1);
  socket.write(Array.from({ length: 1025 }, (_, id) => `${call('wait', [], id)}\n`).join(''));
  const answer = JSON.parse(String((await once(socket, 'data'))[0]));
  assert.deepEqual([answer.id, answer.error.statusCode], [1024, 503]);
  socket.destroy();
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

test('requests over HTTP that come one behind the other have a bound, however small they are', { timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const { host } = await service(t, () => `http://127.0.0.1:${port}`, MEASURED);
  const before = memory(host);
  const body = call('wait');
  const request = `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  const many = Buffer.from(request.repeat(80_000));
  socket.write(many);
  for (let turn = 0; turn < many.length >> 16; turn++) await host.ask('echo');
  assert.ok(growth(t, host, before) < 180, 'of 80,000 requests');
  socket.destroy();
});

// MARK: connections

test('4,096 connections, 2,048 of one address', { timeout: 60_000 }, async (t) => {
  const { host, port } = await tcpService(t);
  const sockets = [];
  // Few at once: those that have not said anything yet have a bound of their own.
  const fill = async (address) => {
    for (let count = 0; count < 2048; count += 32) sockets.push(...(await known(port, 32, [address])));
  };
  const isTurnedAway = async (localAddress) => (await raw(port, `${call('echo')}\n`, { localAddress })) === '';
  await fill('127.0.0.2');
  assert.ok(await isTurnedAway('127.0.0.2'));
  await fill('127.0.0.3');
  assert.ok(await isTurnedAway('127.0.0.4'));
  for (const socket of sockets.splice(0, 100)) socket.destroy();
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
  for (;;) {
    // The service sees their end in its next turns.
    const [next] = await known(port, 1, ['127.0.0.4']).catch(() => []);
    if (next === undefined) continue;
    sockets.push(next);
    break;
  }
  for (const socket of sockets) socket.destroy();
});

test('1,024 connections may be silent, whatever their addresses, for ten seconds', { timeout: 60_000 }, async (t) => {
  const { host, port } = await tcpService(t);
  const sockets = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  // Timed from before the connect to after the close: a loaded machine makes these times longer, never shorter.
  const silent = (index) => {
    const begun = performance.now();
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % 40)}` });
    sockets.push(socket);
    return new Promise((ended) => socket.on('error', () => {}).resume().on('close', () => ended(performance.now() - begun)));
  };
  const lives = [];
  while (lives.length < 1200) {
    const batch = Array.from({ length: 200 }, (_, place) => silent(lives.length + place));
    lives.push(...batch);
    await Promise.all(sockets.slice(-batch.length).map((socket) => once(socket, 'connect')));
    // More than the queue of the listener would look connected here, and never be accepted.
    for (let turn = 0; turn < 2; turn++) await host.ask('echo', ['x']);
  }
  const kept = (await Promise.all(lives)).filter((life) => life >= 9_900).length;
  assert.ok(kept >= 1024, `${kept} of 1,200 were kept`);
});

test('of 1,200 silent connections of 40 addresses, the oldest of each address go until 1,024 are left', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const doorkeeper = new Doorkeeper();
  const sockets = Array.from({ length: 1200 }, (_, index) => silentSocket(`10.0.0.${index % 40}`));
  for (const socket of sockets) assert.ok(doorkeeper.admit(socket));
  const gone = () => sockets.filter((socket) => socket.destroyed).length;
  assert.equal(gone(), 176);
  assert.ok(sockets.findLastIndex((socket) => socket.destroyed) < 200);
  t.mock.timers.tick(9_999);
  assert.equal(gone(), 176);
  t.mock.timers.tick(1);
  assert.equal(gone(), 1200);
});

/** What a doorkeeper needs of a socket. */
function silentSocket(remoteAddress) {
  const socket = new EventEmitter();
  socket.remoteAddress = remoteAddress;
  socket.destroyed = false;
  socket.destroy = () => {
    if (socket.destroyed) return;
    socket.destroyed = true;
    socket.emit('close');
  };
  return socket;
}

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

// MARK: pm

test('a line of pm of more than 64 MB is thrown away, and the next one is served', { timeout: 60_000 }, async (t) => {
  const host = await hostOf(t, { 'commands.json': { name: 'svc', commands: [{ name: 'echo', config: { fs: { path: 'echo.mjs' } } }] }, 'echo.mjs': 'export default (x) => x;' });
  const before = memory(host);
  const piece = Buffer.alloc(1 << 20, 'x');
  for (let count = 0; count < 400; count++) if (!host.write(piece)) await once(host.channel, 'drain');
  host.write('\n');
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
  assert.match(host.stderr, /dropped a message of more than 67108864 bytes: x{200}\n/);
  const most = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${host.process.pid}/status`, 'utf8'))[1]) / 1024;
  t.diagnostic(`${most.toFixed()} MB at most`);
  // The line, and all the smaller buffers that it outgrew, if V8 has collected none of them yet; the line has 400 MB.
  assert.ok(most - before < 210, `${most} MB at most, ${before} MB before`);
});
