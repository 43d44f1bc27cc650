/** Messages that are longer than the protocol allows: whoever waits for them gets an error, and everything else goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { connectByPreference } from '../../Sources/node/client/index.mjs';
import { MAX_LINE } from '../../Sources/node/client/wire/limits.cjs';
import { definition, folder, Host, hostOf } from './support/host.mjs';
import { freePort } from './support/net.mjs';

const FILES = {
  'commands.json': definition({ big: {}, echo: {}, pieces: {}, fails: {}, relay: { '': { inject: ['pm', 'params.0'] } } }),
  'echo.mjs': 'export default (value) => value;',
  'big.mjs': 'export default (size) => "x".repeat(size);',
  'fails.mjs': 'export default (size) => { throw new Error("x".repeat(size)); }',
  'pieces.mjs': 'export default async function* (size) { yield "small"; yield "x".repeat(size); yield "never"; }',
  'relay.mjs': `export default (pm, size) => pm.dispatch('other.take', 'x'.repeat(size)).then(
    (value) => value.length, (error) => [error.statusCode, error.message],
  );`,
};
const TOO_LONG = MAX_LINE + 1;

/** A server of lines that answers each request with what `answer` makes of it. */
async function serverOf(t, answer) {
  const server = net.createServer((socket) => {
    let text = '';
    socket.on('error', () => {}).setEncoding('utf8').on('data', (data) => {
      const lines = (text + data).split('\n');
      text = lines.pop();
      for (const line of lines) for (const piece of answer(JSON.parse(line))) socket.write(piece);
    });
  });
  server.listen(`${folder(t, {})}/s.sock`);
  await once(server, 'listening');
  t.after(() => server.close());
  const { container, processor } = await connectByPreference({ [`jsonrpc+unix://${server.address()}`]: {} }, { metadata: { name: 's', commands: [] } });
  t.after(() => processor.close());
  return container;
}

test('a service answers with 413 what would be too long: a result, an error, a piece of a stream', { timeout: 60_000 }, async (t) => {
  const host = await hostOf(t, FILES);
  for (const method of ['big', 'fails']) {
    const { error } = await host.ask(method, [TOO_LONG]);
    assert.equal(error.statusCode, 413, method);
    assert.match(error.message, /has \d+ bytes, and a message has at most \d+: send a stream/);
  }
  host.write(`{"jsonrpc":"2.0","id":"s","method":"pieces","params":[${TOO_LONG}]}\n`);
  const frames = [await host.answer('s'), await host.answer('s'), await host.answer('s')];
  assert.deepEqual([frames[0].stream, frames[1].result.data, frames[2].error.statusCode], [true, 'small', 413]);
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

test('a service refuses a request that is too long by its id, and goes on', { timeout: 60_000 }, async (t) => {
  const host = await hostOf(t, FILES);
  host.write(`{"jsonrpc":"2.0","id":"long","method":"echo","params":["${'x'.repeat(TOO_LONG)}`);
  const { error } = await host.answer('long');
  assert.deepEqual([error.code, error.statusCode], [-32600, 413]);
  host.write('"]}\n');
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

test('calls of a service that are too long, or whose answer is, reject with 413', { timeout: 60_000 }, async (t) => {
  const host = await hostOf(t, FILES);
  const [status, message] = (await host.ask('relay', [TOO_LONG])).result;
  assert.equal(status, 413);
  assert.match(message, /the call of other.take has \d+ bytes/);
  const answer = host.ask('relay', [1]);
  const { id } = await host.message(({ method }) => method === 'other.take');
  host.write(`{"jsonrpc":"2.0","id":${id},"result":"${'x'.repeat(TOO_LONG)}"}\n`);
  assert.deepEqual((await answer).result[0], 413);
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

test('calls of a client that are too long reject with 413, and nothing of them is sent', { timeout: 60_000 }, async (t) => {
  const container = await serverOf(t, ({ id, params }) => [`{"jsonrpc":"2.0","id":"${id}","result":${params[0].length}}\n`]);
  await assert.rejects(container.dispatch('take', 'x'.repeat(TOO_LONG)), { statusCode: 413 });
  assert.equal(await container.dispatch('take', 'small'), 5);
});

test('an answer that is too long rejects its call with 413, and the other calls go on', { timeout: 60_000 }, async (t) => {
  const half = 'x'.repeat(TOO_LONG / 2);
  const container = await serverOf(t, ({ id, method }) => {
    return method === 'long' ? [`{"jsonrpc":"2.0","id":"${id}","result":"`, half, half, half, '"}\n'] : [`{"id":"${id}","result":"${method}"}\n`];
  });
  const [long, other] = await Promise.allSettled([container.dispatch('long'), container.dispatch('other')]);
  assert.equal(long.reason.statusCode, 413);
  assert.equal(other.value, 'other');
});

test('an answer that is too long and does not tell whose it is ends the connection: every call settles', { timeout: 60_000 }, async (t) => {
  const container = await serverOf(t, () => ['{"result":"', 'x'.repeat(TOO_LONG)]);
  const calls = await Promise.allSettled([container.dispatch('one'), container.dispatch('two')]);
  for (const { reason } of calls) assert.match(reason.message, /^the connection ended before (one|two) was answered: the answer is too long/);
});

test('a piece of a parameter stream that is too long fails the stream at the other end', { timeout: 60_000 }, async (t) => {
  let asked;
  const container = await serverOf(t, (message) => {
    asked ??= message.id;
    return message.error === undefined ? [] : [`{"id":"${asked}","result":${message.error.statusCode}}\n`];
  });
  async function* source() {
    yield 'small';
    yield 'x'.repeat(TOO_LONG);
  }
  assert.equal(await container.dispatch('take', source()), 413);
});

test('a stranger whose line is too long is told which request it was', { timeout: 60_000 }, async (t) => {
  const root = folder(t, FILES);
  const host = new Host(t, { program: `${root}/commands.json`, env: { PM_CONNECT: JSON.stringify({ [`jsonrpc+unix://${root}/svc.sock`]: {} }) } });
  await host.ready();
  const { container } = await connectByPreference({ [`jsonrpc+unix://${root}/svc.sock`]: {} });
  await assert.rejects(container.dispatch('echo', 'x'.repeat(5 << 20)), {
    statusCode: 413, message: 'Invalid Request: a line has at most 4194304 bytes',
  });
});

test('what the other side says last, about no call, is why the calls failed', async (t) => {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end('{"jsonrpc":"2.0","id":-1,"error":{"statusCode":503,"message":"too many connections"}}\n'));
  });
  server.listen(`${folder(t, {})}/s.sock`);
  await once(server, 'listening');
  t.after(() => server.close());
  const { container } = await connectByPreference({ [`jsonrpc+unix://${server.address()}`]: {} }, { metadata: { name: 's', commands: [] } });
  await assert.rejects(container.dispatch('any'), {
    statusCode: 503, code: 'PM_DISCONNECTED', message: 'the connection ended before any was answered: too many connections',
  });
});

test('a stranger whose message is refused is told which one it was, over each transport', { timeout: 60_000 }, async (t) => {
  const root = folder(t, FILES);
  const port = await freePort();
  const points = { [`jsonrpc+unix://${root}/svc.sock`]: {}, [`ws://127.0.0.1:${port}`]: {}, [`http://127.0.0.1:${port}`]: {} };
  const host = new Host(t, { program: `${root}/commands.json`, env: { PM_CONNECT: JSON.stringify(points) } });
  await host.ready();
  const deep = JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`);
  for (const url of Object.keys(points)) {
    const { container } = await connectByPreference({ [url]: {} });
    await assert.rejects(container.dispatch('echo', deep), { code: -32600, message: 'Invalid Request: a message is at most 512 levels deep' }, url);
    container.close();
  }
});

test('a service that does not read a stream on ends its source in the client', async (t) => {
  let id;
  const container = await serverOf(t, (message) => {
    if (message.method === 'take') id = message.id;
    return message.result?.data === 'second' ? [`{"jsonrpc":"2.0","method":"$/cancel","params":["${id}"]}\n`] : [];
  });
  const ended = new Promise((resolve) => {
    async function* source() {
      try {
        for (const piece of ['first', 'second']) yield piece;
        await new Promise(() => {});
      } finally {
        resolve('ended');
      }
    }
    const values = source();
    // A source that waits for something of its own would end when that has come: this one is told at once.
    const returned = values.return.bind(values);
    values.return = (value) => {
      resolve('ended');
      return returned(value);
    };
    container.dispatch('take', values).catch(() => {});
  });
  assert.equal(await ended, 'ended');
});
