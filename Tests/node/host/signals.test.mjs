import assert from 'node:assert/strict';
import test from 'node:test';
import { definition, hostOf } from '../support/host.mjs';

const FILES = {
  'commands.json': definition({
    wait: { '': { inject: ['signal'] } },
    endless: { '': { inject: ['params.0'] } },
    silent: {},
    upload: { '': { inject: ['params.0', 'params.1'] } },
    slow: { '': { inject: ['params.0'] } },
    spoof: { '': { inject: ['signal'] } },
    deaf: {}, $stop: {},
  }),
  'deaf.mjs': `export default () => new Promise((resolve) => {
    console.log('deaf');
    process.once('SIGUSR1', () => { resolve('too late'); setImmediate(() => console.log('resolved')); });
  });`,
  'stop.mjs': 'export default () => {};',
  'wait.mjs': `export default (signal) => new Promise((_, reject) => {
    signal.addEventListener('abort', () => { console.log('aborted'); reject(signal.reason); });
    console.log('waits');
  });`,
  'endless.mjs': `export default async function* (size) {
    let count = 0;
    process.on('SIGUSR2', () => console.log('count', count));
    console.log('started');
    try { for (;; count++) { yield 'x'.repeat(size); await new Promise(setImmediate); } } finally { console.log('ended'); }
  }`,
  'silent.mjs': 'export default async function* () { yield 1; console.log("quiet"); await new Promise(() => {}); }',
  'upload.mjs': `export default async (first, second) => {
    const stream = second ?? first; const all = [];
    for await (const piece of stream) all.push(Buffer.isBuffer(piece) ? piece.toString() : piece);
    return second ? [first, all] : all;
  }`,
  'slow.mjs': `export default async (stream) => {
    await new Promise((resolve) => process.once('SIGUSR1', resolve));
    let count = 0; for await (const piece of stream) count += 1; return count;
  }`,
  'spoof.mjs': 'export default (signal) => signal instanceof AbortSignal',
};

const frame = (id, data) => `${JSON.stringify({ id, result: { event: 'data', isBuffer: false, data }, jsonrpc: '2.0' })}\n`;
const end = (id) => `${JSON.stringify({ id, result: { event: 'end' }, stream: true, jsonrpc: '2.0' })}\n`;
const signal = (method, id) => `${JSON.stringify({ jsonrpc: '2.0', method, params: [id] })}\n`;
const request = (id, method, more) => `${JSON.stringify({ jsonrpc: '2.0', id, method, ...more })}\n`;

test('a cancelled call is aborted where it listens, and answered', async (t) => {
  const host = await hostOf(t, FILES);
  host.write(request(1, 'wait'));
  await host.prints('waits');
  host.write(signal('$/cancel', 1));
  const { error } = await host.answer(1);
  assert.deepEqual([error.statusCode, error.code], [499, 'CANCELLED']);
  assert.match(host.stdout, /aborted/);
  // Too late, unknown, without an id: nothing happens.
  host.write(signal('$/cancel', 1) + signal('$/cancel', 'x') + '{"jsonrpc":"2.0","method":"$/cancel"}\n');
  assert.equal((await host.ask('spoof', { params: [], signal: 1 })).result, true);
});

test('a cancelled call of a command that does not listen is answered all the same, once, and holds up no stop', async (t) => {
  const host = await hostOf(t, FILES);
  host.write(request(1, 'deaf'));
  await host.prints('deaf');
  host.write(signal('$/cancel', 1));
  assert.equal((await host.answer(1)).error.statusCode, 499);
  host.process.kill('SIGUSR1');
  await host.prints('resolved');
  host.write(request(1, 'deaf'));
  host.write(signal('$/cancel', 1));
  assert.equal((await host.answer(1)).error.statusCode, 499, 'the id may be used again, and gets its own answer');
  host.ask('$stop');
  assert.deepEqual(await host.exited, { code: 0, signal: null });
});

test('a cancelled call is answered before its upload ends, and the upload is given up', async (t) => {
  const host = await hostOf(t, FILES);
  host.write(request(1, 'upload', { stream: true, params: [{ stream: true }] }) + frame(1, 'a') + signal('$/cancel', 1));
  assert.equal((await host.answer(1)).error.statusCode, 499);
  host.write(frame(1, 'b') + end(1));
  assert.equal((await host.ask('spoof')).result, true);
});

test('a stream as parameter that is not read on is cancelled at its sender', async (t) => {
  const host = await hostOf(t, { 'commands.json': definition({ first: {} }), 'first.mjs': 'export default async (s) => { for await (const piece of s) return piece; }' });
  host.write(request('u', 'first', { stream: true, params: [{ stream: true }] }) + frame('u', 'a'));
  assert.deepEqual((await host.message(({ method }) => method === '$/cancel')).params, ['u']);
  assert.equal((await host.answer('u')).result, 'a');
});

test('a cancelled stream ends, even when its source says nothing', async (t) => {
  const host = await hostOf(t, FILES);
  for (const [id, method] of [[1, 'endless'], [2, 'silent']]) {
    host.write(request(id, method, { params: [10] }));
    await host.prints(id === 1 ? 'started' : 'quiet');
    host.write(signal('$/cancel', id));
    let message;
    do message = await host.answer(id);
    while (message.result?.event !== 'end');
  }
  await host.prints('ended');
});

test('a paused stream waits, and goes on where it was', async (t) => {
  const host = await hostOf(t, FILES);
  host.write(request(1, 'endless', { params: [10] }));
  await host.prints('started');
  host.write(signal('$/pause', 1));
  const stuck = await host.settledCount();
  assert.equal((await host.ask('spoof')).result, true);
  host.write(signal('$/resume', 1));
  for (let n = 0; n < stuck + 100; n++) await host.answer(1);
  host.write(signal('$/cancel', 1));
});

test('a stream as parameter is read as it comes', async (t) => {
  const host = await hostOf(t, FILES);
  // As the reference sends it: the stream is all there is.
  host.write(request('a', 'upload', { stream: true, params: { _events: {} } }) + frame('a', 'one'));
  const buffer = { event: 'data', isBuffer: true, data: { type: 'Buffer', data: [97, 98] } };
  host.write(`${JSON.stringify({ id: 'a', result: buffer, jsonrpc: '2.0' })}\n`);
  host.write(end('a'));
  assert.deepEqual((await host.answer('a')).result, ['one', 'ab']);
  host.write(request('b', 'upload', { stream: true, params: ['first', { stream: true }] }) + frame('b', 2));
  assert.equal((await host.ask('spoof')).result, true);
  host.write(end('b'));
  assert.deepEqual((await host.answer('b')).result, ['first', [2]]);
});

test('a stream as parameter that fails is an error where it is read', async (t) => {
  const host = await hostOf(t, FILES);
  host.write(request('a', 'upload', { stream: true, params: [{ stream: true }] }) + frame('a', 'one'));
  host.write('{"id":"a","error":{"message":"torn","statusCode":502},"jsonrpc":"2.0"}\n');
  const { error } = await host.answer('a');
  assert.deepEqual([error.message, error.statusCode], ['torn', 502]);
});

test('a stream as parameter that is not read is told to wait', async (t) => {
  const host = await hostOf(t, FILES);
  host.write(request('a', 'slow', { stream: true, params: [{ stream: true }] }));
  host.write(frame('a', 'x').repeat(100));
  assert.deepEqual((await host.message(({ method }) => method === '$/pause')).params, ['a']);
  host.process.kill('SIGUSR1');
  assert.deepEqual((await host.message(({ method }) => method === '$/resume')).params, ['a']);
  host.write(end('a'));
  assert.equal((await host.answer('a')).result, 100);
});
