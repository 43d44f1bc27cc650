import assert from 'node:assert/strict';
import test from 'node:test';
import { definition, hostOf } from '../support/host.mjs';

const FILES = {
  'commands.json': definition({ echo: {}, later: {} }),
  'echo.mjs': 'let count = 0; process.on("SIGUSR2", () => console.log("count", count)); export default (x) => { count++; return x; }',
  'later.mjs': 'export default (x) => new Promise((resolve) => setImmediate(resolve, x));',
};

test('10,000 pipelined calls are all answered, quick ones in their order', async (t) => {
  const host = await hostOf(t, FILES);
  for (const method of ['echo', 'later']) {
    const lines = Array.from({ length: 10_000 }, (_, n) => `{"jsonrpc":"2.0","id":${n},"method":"${method}","params":[${n}]}\n`);
    await host.ask(method, []);
    host.write(lines.join(''));
    for (let n = 0; n < 10_000; n++) {
      const { id, result } = await host.message(() => true);
      assert.deepEqual([id, result], [n, n]);
    }
  }
});

test('16 MB of parameters come whole and go back whole', async (t) => {
  const host = await hostOf(t, FILES);
  const text = 'é€😀 '.repeat(16 * 1024 * 1024 / 10);
  const { result } = await host.ask('echo', [text]);
  assert.ok(result === text);
});

test('a daemon that does not read its answers makes the host stop reading, and nothing is lost', async (t) => {
  const host = await hostOf(t, FILES);
  await host.ask('echo', ['warm']);
  const text = 'x'.repeat(64 * 1024);
  host.channel.pause();
  const requests = 400;
  for (let n = 0; n < requests; n++) host.write(`{"jsonrpc":"2.0","id":${n},"method":"echo","params":["${text}"]}\n`);
  const stuck = await host.settledCount();
  assert.ok(stuck < 100, `${stuck} of ${requests} calls were made although no answer was read`);
  host.channel.resume();
  for (let n = 0; n < requests; n++) assert.equal((await host.answer(n)).result, text);
});
