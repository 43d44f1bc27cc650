import assert from 'node:assert/strict';
import test from 'node:test';
import { ReceivedStream } from '../../../Sources/node/client/wire/streams.cjs';
import { definition, hostOf } from '../support/host.mjs';

const FILES = {
  'commands.json': definition({ strings: {}, buffers: {}, web: {}, failing: {}, endless: {} }),
  'strings.mjs': 'export default async function* () { yield "x1"; yield { n: 0 }; yield null; }',
  'buffers.mjs': 'import { Readable } from "node:stream"; export default () => Readable.from([Buffer.from("ab"), new Uint8Array([99])]);',
  'web.mjs': 'export default () => new ReadableStream({ start(c) { c.enqueue("w"); c.close(); } });',
  'failing.mjs': 'export default async function* () { yield 1; throw Object.assign(new Error("torn"), { statusCode: 502 }); }',
  'endless.mjs': `export default async function* () {
    let count = 0;
    process.on('SIGUSR2', () => console.log('count', count));
    console.log('started');
    const piece = 'x'.repeat(65536);
    try { for (;; count++) yield piece; } finally { console.log('ended'); }
  }`,
};

/** The frames of one stream, as text. */
async function frames(host, method) {
  host.write(`{"jsonrpc":"2.0","id":"42","method":"${method}"}\n`);
  const all = [];
  for (;;) {
    const message = await host.answer('42');
    all.push(message.raw);
    if (message.error || message.result?.event === 'end') return all;
  }
}

test('an async iterable is answered as a stream, frame by frame as the reference writes them', async (t) => {
  const host = await hostOf(t, FILES);
  assert.deepEqual(await frames(host, 'strings'), [
    '{"id":"42","stream":true,"result":{},"jsonrpc":"2.0"}',
    '{"id":"42","result":{"event":"data","isBuffer":false,"data":"x1"},"jsonrpc":"2.0"}',
    '{"id":"42","result":{"event":"data","isBuffer":false,"data":{"n":0}},"jsonrpc":"2.0"}',
    '{"id":"42","result":{"event":"data","isBuffer":false,"data":null},"jsonrpc":"2.0"}',
    '{"id":"42","result":{"event":"end"},"stream":true,"jsonrpc":"2.0"}',
  ]);
});

test('Readables and web streams are streams', async (t) => {
  const host = await hostOf(t, FILES);
  assert.deepEqual((await frames(host, 'buffers')).slice(1, 3), [
    '{"id":"42","result":{"event":"data","isBuffer":true,"data":{"type":"Buffer","data":[97,98]}},"jsonrpc":"2.0"}',
    '{"id":"42","result":{"event":"data","isBuffer":true,"data":{"type":"Buffer","data":[99]}},"jsonrpc":"2.0"}',
  ]);
  assert.match((await frames(host, 'web'))[1], /"isBuffer":false,"data":"w"/);
});

test('a stream that fails ends with its error', async (t) => {
  const host = await hostOf(t, FILES);
  const { error } = JSON.parse((await frames(host, 'failing')).at(-1));
  assert.deepEqual([error.message, error.statusCode], ['torn', 502]);
});

test('a stream waits for a daemon that does not read, and ends when the daemon goes', async (t) => {
  const host = await hostOf(t, FILES);
  host.channel.pause();
  host.write('{"jsonrpc":"2.0","id":"42","method":"endless"}\n');
  await host.prints('started');
  const stuck = await host.settledCount();
  assert.ok(stuck < 100, `${stuck} pieces of 64 KiB were produced`);
  host.channel.resume();
  for (let n = 0; n < 3 * stuck; n++) await host.answer('42');
  host.channel.destroy();
  assert.equal((await host.exited).code, 75);
  assert.match(host.stdout, /ended/);
});

test('a stream that is read too slowly ends with an error, and holds no more than its bound', async () => {
  let stream;
  const receive = ReceivedStream.feed([], (opened) => (stream = opened));
  for (let i = 0; i < 200_000; i++) receive({ result: { event: 'data', isBuffer: false, data: i } });
  let count = 0;
  await assert.rejects(
    async () => {
      for await (const piece of stream) assert.equal(piece, count++);
    },
    { statusCode: 503, message: 'the stream was read too slowly: more than 65536 pieces or 134217728 bytes waited' },
  );
  assert.equal(count, 65536);
});

test('a stream whose sender does not wait holds 128 MB, or 65,536 pieces, and its sender is told', async () => {
  for (const [size, most] of [[1 << 20, 128], [10, 65536]]) {
    let isCancelled = false;
    const stream = new ReceivedStream({ cancel: () => (isCancelled = true) });
    for (let count = 0; count < most + 10; count++) stream.receive({ result: { event: 'data', isBuffer: false, data: count } }, size);
    assert.ok(isCancelled);
    let count = 0;
    await assert.rejects(
      async () => {
        for await (const piece of stream) assert.equal(piece, count++);
      },
      { statusCode: 503 },
    );
    assert.equal(count, most);
  }
});

test('a sender is told to let a stream wait by its size as well', async () => {
  const said = [];
  const stream = new ReceivedStream({ cancel: () => said.push('cancel'), pause: () => said.push('pause'), resume: () => said.push('resume') });
  for (let count = 0; count < 3; count++) stream.receive({ result: { event: 'data', isBuffer: false, data: count } }, 600_000);
  assert.deepEqual(said, ['pause']);
  const seen = [];
  for await (const piece of stream) {
    if (seen.push(piece) === 3) stream.receive({ result: { event: 'end' } });
  }
  assert.deepEqual([seen, said], [[0, 1, 2], ['pause', 'resume']]);
});
