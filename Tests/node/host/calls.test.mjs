import assert from 'node:assert/strict';
import test from 'node:test';
import { definition, hostOf } from '../support/host.mjs';

const FILES = {
  'commands.json': definition({
    $init: { cli: { inject: ['pm', '$state'] } },
    ask: { '': { inject: ['pm', 'params'] } },
    fails: { '': { inject: ['pm'] } },
    collect: { '': { inject: ['pm'] } },
    initial: {},
  }),
  'init.mjs': 'export default async (pm, state) => { state.initial = await pm.dispatch("cache.get", "start"); };',
  'initial.mjs': 'export default function () { return this.initial; }',
  'ask.mjs': 'export default (pm, [method, ...params]) => pm.dispatch(method, ...params);',
  'fails.mjs': `export default async (pm) => {
    try { return await pm.dispatch('users.get', 4); } catch (error) {
      return { isError: error instanceof Error, message: error.message, statusCode: error.statusCode, code: error.code, stack: error.stack };
    }
  };`,
  'collect.mjs': `export default async (pm) => {
    const pieces = [];
    try { for await (const piece of await pm.dispatch('log')) pieces.push(Buffer.isBuffer(piece) ? ['buffer', String(piece)] : piece); }
    catch (error) { pieces.push(error.message); }
    return pieces;
  };`,
};

/** A host whose daemon also answers `cache.get`, which its $init calls. */
async function caller(t) {
  const files = { ...FILES };
  return hostOf(t, files, { serve: { 'cache.get': (key) => `value of ${key}` } });
}

test('service code calls others through the channel, also in $init, before it is ready', async (t) => {
  const host = await caller(t);
  assert.equal((await host.ask('initial')).result, 'value of start');
  assert.equal((await host.ask('ask', ['cache.get', 'k'])).result, 'value of k');
});

test('a call goes out as a request with an array of parameters', async (t) => {
  const host = await caller(t);
  const answer = host.ask('ask', ['users.get', 4, { a: null }]);
  const request = await host.message(({ method }) => method === 'users.get');
  assert.equal(request.raw, `{"jsonrpc":"2.0","id":${request.id},"method":"users.get","params":[4,{"a":null}]}`);
  host.write(`{"id":${request.id},"result":0,"jsonrpc":"2.0"}\n`);
  assert.equal((await answer).result, 0);
});

test('void and null are different answers', async (t) => {
  const host = await caller(t);
  for (const [reply, expected] of [['"error":null', undefined], ['"result":null', null]]) {
    const answer = host.ask('ask', ['users.get']);
    const { id } = await host.message(({ method }) => method === 'users.get');
    host.write(`{"id":${id},${reply},"jsonrpc":"2.0"}\n`);
    assert.equal((await answer).result, expected);
  }
});

test('an error of the other service is thrown as an Error with its members', async (t) => {
  const host = await caller(t);
  const answer = host.ask('fails');
  const { id } = await host.message(({ method }) => method === 'users.get');
  host.write(`{"id":${id},"error":{"message":"no such user","statusCode":404,"code":"NO_USER","stack":"Error: theirs"},"jsonrpc":"2.0"}\n`);
  assert.deepEqual((await answer).result, {
    isError: true, message: 'no such user', statusCode: 404, code: 'NO_USER', stack: 'Error: theirs',
  });
});

test('an answer that says nothing is an error of the call', async (t) => {
  const host = await caller(t);
  const answer = host.ask('fails');
  const { id } = await host.message(({ method }) => method === 'users.get');
  host.write(`{"id":${id},"jsonrpc":"2.0"}\n`);
  assert.equal((await answer).result.message, 'replies must have either a result or error');
});

test('calls in both directions share the channel, whatever the order of their answers', async (t) => {
  const host = await caller(t);
  const answers = [1, 2, 3].map((n) => host.ask('ask', ['slow', n]));
  const requests = [];
  for (const _ of answers) requests.push(await host.message(({ method }) => method === 'slow'));
  assert.equal((await host.ask('initial')).result, 'value of start');
  for (const { id, params } of requests.reverse()) host.write(`{"id":${id},"result":${params[0] * 10},"jsonrpc":"2.0"}\n`);
  assert.deepEqual((await Promise.all(answers)).map(({ result }) => result), [10, 20, 30]);
});

test('a call that cannot be written is an error of the caller', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ bad: { '': { inject: ['pm'] } } }), 'bad.mjs': 'export default (pm) => pm.dispatch("x", 1n);',
  });
  assert.match((await host.ask('bad')).error.message, /BigInt/);
});

test('a stream as answer is read piece by piece, to its end or its error', async (t) => {
  const host = await caller(t);
  for (const [last, expected] of [['"result":{"event":"end"},"stream":true', []], ['"error":{"message":"cut off"}', ['cut off']]]) {
    const answer = host.ask('collect');
    const { id } = await host.message(({ method }) => method === 'log');
    const frames = [
      '"stream":true,"result":{}', '"result":{"event":"data","isBuffer":true,"data":{"type":"Buffer","data":[97,98]}}',
      '"result":{"event":"data","isBuffer":false,"data":"text"}', '"result":{"event":"data","isBuffer":false,"data":{"n":0}}', last,
    ];
    for (const frame of frames) host.write(`{"id":${id},${frame},"jsonrpc":"2.0"}\n`);
    assert.deepEqual((await answer).result, [['buffer', 'ab'], 'text', { n: 0 }, ...expected]);
  }
});

test('a refused ready is reported, and the service serves on', async (t) => {
  const host = await hostOf(t, { 'commands.json': definition({}) }, { serve: { ready: undefined } });
  host.write('{"jsonrpc":"2.0","id":1,"error":{"message":"unknown unit"}}\n');
  await host.says('the daemon refused ready: unknown unit');
  assert.equal((await host.ask('$metadata')).result.name, 'svc');
});

test('who waits for an answer when the channel closes gets an error', async (t) => {
  const files = {
    'commands.json': definition({ ask: { '': { inject: ['pm'] } }, $stop: {} }),
    'ask.mjs': `export default (pm) => pm.dispatch('x').catch((error) => {
      console.log(error.statusCode, error.code, error.message);
    });`,
    'stop.mjs': 'export default () => new Promise((resolve) => setImmediate(resolve));',
  };
  const host = await hostOf(t, files);
  host.ask('ask');
  await host.message(({ method }) => method === 'x');
  host.channel.destroy();
  assert.equal((await host.exited).code, 75);
  assert.equal(host.stdout, '503 PM_DISCONNECTED cannot call x: not connected to pm\n');
});
