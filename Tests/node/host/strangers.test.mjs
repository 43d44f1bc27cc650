/** What strangers can do to a service over its connection points: the real host, by the bytes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { folder, Host } from '../support/host.mjs';
import { freePort, raw } from '../support/net.mjs';
import { call, FILES, rawLine, service, tcpService } from '../support/service.mjs';

const HTTP = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n';
const FIRST = {
  'a form of a page': [`${HTTP}${call('secret')}\n`, /^HTTP\/1.1 400 [^]*not HTTP/],
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

test('strangers get causes and gathered errors with code and status, and no other members of them', async (t) => {
  const { port } = await tcpService(t);
  const { error } = JSON.parse(await rawLine(port, call('because')));
  const inner = { statusCode: 404, code: 'EINNER', message: 'inner' };
  assert.deepEqual(error, {
    statusCode: 500, message: 'both', cause: { statusCode: 500, message: 'why', cause: inner },
    errors: [{ message: 'inner' }, { statusCode: 500, message: 'text' }],
  });
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

test('a list of more than a hundred messages is refused whole', async (t) => {
  const port = await freePort();
  const { host } = await service(t, () => `http://127.0.0.1:${port}`);
  const body = `[${Array.from({ length: 101 }, (_, id) => call('secret', [], id)).join(',')}]`;
  const answer = await raw(port, `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  assert.match(answer, /^HTTP\/1.1 400 [^]*1 to 100 messages/);
  assert.ok(!host.stdout.includes('executed'), host.stdout);
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
