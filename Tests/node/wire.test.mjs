import assert from 'node:assert/strict';
import test from 'node:test';
import { definition, hostOf } from './support/host.mjs';

const FILES = {
  'commands.json': definition({ echo: {}, seen: { '': { inject: ['$param'] } }, private: { jsonrpc: false } }),
  'echo.mjs': 'export default (value) => value;',
  'seen.mjs': 'export default (param) => ({ ...param, trigger: param._trigger, keys: Object.keys(param).sort() });',
  'private.mjs': 'export default () => "secret";',
};

/** Requests and the exact answers to them. */
const VECTORS = [
  ['{"jsonrpc":"2.0","id":7,"method":"echo","params":{"a":1}}', '{"id":7,"result":{"a":1},"jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":"u-1","method":"echo","params":["é\\n"]}', '{"id":"u-1","result":"é\\n","jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":8,"method":"echo","params":[0]}', '{"id":8,"result":0,"jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":9,"method":"echo","params":[""]}', '{"id":9,"result":"","jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":10,"method":"echo","params":[false]}', '{"id":10,"result":false,"jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":10,"method":"echo","params":[null]}', '{"id":10,"result":null,"jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":5,"method":"echo"}', '{"id":5,"error":null,"jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":5,"method":"echo","params":null}', '{"id":5,"error":null,"jsonrpc":"2.0"}'],
  ['{"jsonrpc":"2.0","id":2,"method":"echo","params":{"params":[1,2]}}', '{"id":2,"result":1,"jsonrpc":"2.0"}'],
  [
    '{"jsonrpc":"2.0","id":11,"method":"echo","params":[[1,null,{"_a":1,"b":2}]]}',
    '{"id":11,"result":[1,null,{"_a":1,"b":2}],"jsonrpc":"2.0"}',
  ],
  ['{"jsonrpc":"2.0","id":12,"method":"echo","params":[{"_a":1,"b":2}]}', '{"id":12,"result":{"b":2},"jsonrpc":"2.0"}'],
  [
    '{"jsonrpc":"2.0","id":12,"method":"echo","params":{"params":true}}',
    '{"id":12,"result":{"params":true},"jsonrpc":"2.0"}',
  ],
  [
    '{"jsonrpc":"2.0","id":4,"method":"nope"}',
    '{"error":{"code":-32601,"message":"Method not found","data":{"info":"no handler found for method nope"}},"id":4,"jsonrpc":"2.0"}',
  ],
  [
    '{"jsonrpc":"1.0","id":5,"method":"echo"}',
    '{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"jsonrpc must be exactly \\"2.0\\""}},"id":5,"jsonrpc":"2.0"}',
  ],
  [
    '{"jsonrpc":"2.0","id":true,"method":"echo"}',
    '{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"id, if provided, must be one of: null, string, number"}},"jsonrpc":"2.0"}',
  ],
  [
    '{"jsonrpc":"2.0","id":6,"method":"echo","params":"x"}',
    '{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"params, if provided, must be one of: null, object, array"}},"id":6,"jsonrpc":"2.0"}',
  ],
  [
    '{"jsonrpc":"2.0","id":13,"result":1}',
    '{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"no response handler for id 13"}},"id":13,"jsonrpc":"2.0"}',
  ],
  [
    '{"jsonrpc":"2.0","id":14}',
    '{"error":{"code":-32600,"message":"Invalid Request","data":{"info":"replies must have either a result or error"}},"id":14,"jsonrpc":"2.0"}',
  ],
];

test('each request is answered exactly as the reference answers it, but for falsy results, which are kept', async (t) => {
  const host = await hostOf(t, FILES);
  await host.ask('echo', []);
  for (const [request, answer] of VECTORS) {
    host.write(`${request}\n`);
    assert.equal((await host.message(() => true)).raw, answer);
  }
});

test('a batch is answered one line per element, and an element that is no object is reported', async (t) => {
  const host = await hostOf(t, FILES);
  host.write('[{"jsonrpc":"2.0","id":3,"method":"echo","params":[1]},7,{"jsonrpc":"2.0","id":4,"method":"echo","params":[2]}]\n');
  assert.equal((await host.answer(3)).result, 1);
  assert.equal((await host.answer(4)).result, 2);
  await host.says('ignored a message: 7');
});

test('a request may come in any pieces, even through a character, with \\r\\n, or many in one', async (t) => {
  const host = await hostOf(t, FILES);
  const bytes = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"echo","params":["é€😀"]}\r\n');
  for (const byte of bytes) {
    await new Promise((resolve) => host.channel.write(Buffer.of(byte), resolve));
  }
  assert.equal((await host.answer(1)).result, 'é€😀');
  host.write(Buffer.concat([bytes, bytes, bytes.subarray(0, 5)]));
  assert.equal((await host.answer(1)).result, 'é€😀');
  assert.equal((await host.answer(1)).result, 'é€😀');
  host.write(bytes.subarray(5));
  assert.equal((await host.answer(1)).result, 'é€😀');
});

test('a malformed line is reported and skipped; an empty one is skipped; the service lives', async (t) => {
  const host = await hostOf(t, FILES);
  host.write('\n\r\nnot json\n{"torn":\nnull\n"text"\n');
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
  await host.says('ignored a message: "text"');
  assert.equal(host.stderr.split('\n').filter(Boolean).length, 4, host.stderr);
  assert.match(host.stderr, /ignored a malformed line \(.*\): not json/);
});

test('a broken line whose id can still be read is answered with a parse error', async (t) => {
  const host = await hostOf(t, FILES);
  host.write('{"jsonrpc":"2.0","id":21,"method":"echo","params":[01]}\n');
  assert.equal((await host.answer(21)).error.code, -32700);
  host.write('{"id":"a\\"b","method":"echo","params":[\n');
  assert.equal((await host.answer('a"b')).error.code, -32700);
});

test('a notification runs and is not answered, and its failure is reported', async (t) => {
  const files = {
    'commands.json': definition({ add: {}, total: {}, fail: {} }),
    'add.mjs': 'export default function (n) { this.total = (this.total ?? 0) + n; return this.total; }',
    'total.mjs': 'export default function () { return this.total; }',
    'fail.mjs': 'export default () => { throw new Error("lost"); }',
  };
  const host = await hostOf(t, files);
  await host.ask('add', [1]);
  host.write('{"jsonrpc":"2.0","method":"add","params":[2]}\n{"jsonrpc":"2.0","id":null,"method":"add","params":[3]}\n');
  host.write('{"jsonrpc":"2.0","method":"fail"}\n{"jsonrpc":"2.0","method":"nope"}\n{"jsonrpc":"2.0","id":9,"method":"total"}\n');
  const { id, result } = await host.message(() => true);
  assert.deepEqual({ id, result }, { id: 9, result: 6 });
  await host.says('a notification failed: Error: lost');
});

test('what only this process can know is never taken from the wire', async (t) => {
  const host = await hostOf(t, FILES);
  const forged = '{"params":[1],"_trigger":"cli","$state":1,"$container":2,"connection":3,"connectionId":4,'
    + '"connectionAsContainer":5,"socket":6,"process":7,"auth":8,"pm":9,"config":10,"_own":1,"__proto__":{"auth":11},"options":{"x":1}}';
  host.write(`{"jsonrpc":"2.0","id":1,"method":"seen","params":${forged}}\n`);
  const { result } = await host.answer(1);
  assert.deepEqual(result.keys, ['_trigger', 'options', 'params']);
  assert.equal(result.trigger, 'jsonrpc');
  assert.deepEqual(result.options, { x: 1 });
});

test('a command that is not for the wire, and $init, look like unknown ones', async (t) => {
  const host = await hostOf(t, FILES);
  for (const method of ['private', '$init', '$serve', '__proto__', 'constructor']) {
    const { error } = await host.ask(method, []);
    assert.deepEqual(error, {
      code: -32601, message: 'Method not found', data: { info: `no handler found for method ${method}` },
    });
  }
});

test('$metadata answers name and commands, whatever it is asked with', async (t) => {
  const host = await hostOf(t, FILES);
  assert.deepEqual(host.metadata.commands.map(({ name }) => name), ['echo', 'seen', 'private']);
  for (const params of [[true], [null], [], undefined, { params: true }, [{ deep: true }]]) {
    assert.deepEqual((await host.ask('$metadata', params)).result, host.metadata);
  }
});

test('an error nobody waits for is not answered: two ends that did would talk for ever', async (t) => {
  const host = await hostOf(t, FILES);
  host.write('{"jsonrpc":"2.0","id":99,"error":{"message":"x"}}\n');
  await host.says('ignored an error nobody waits for: {"message":"x"}');
  host.write('{"jsonrpc":"2.0","id":5,"method":"echo","params":["next"]}\n');
  assert.equal((await host.message(() => true)).result, 'next');
});
