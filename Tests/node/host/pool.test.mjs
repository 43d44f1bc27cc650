/** Workers of a pool: threads of one process, each with its pm-worker. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { definition, folder, Host, HOST } from '../support/host.mjs';
import { Pool } from '../support/pool.mjs';

const THREAD = fileURLToPath(new URL('../../../Sources/node/host/thread.mjs', import.meta.url));
const THREADS = `import { isMainThread, parentPort } from 'node:worker_threads';\n`;
const COMMANDS = {
  'commands.json': definition({ echo: {}, where: {}, $stop: {}, pool: { '': { inject: ['pool', 'params.0'] } } }),
  'echo.mjs': 'export default (...all) => all.length === 1 ? all[0] : all;',
  'where.mjs': `${THREADS}export default () => ({ isMainThread, pid: process.pid, argv: process.argv.slice(2), name: process.env.PM_NAME, channel: process.env.PM_CHANNEL_FD });`,
  'stop.mjs': 'export default () => console.log("stopped in order");',
  'pool.mjs': 'export default (pool) => [pool.name, pool.worker];',
  'idle.mjs': 'console.log("idle"); setInterval(() => {}, 1000);',
};

test('workers answer calls as threads of one process, each by its own channel', async (t) => {
  const pool = await Pool.start(t, COMMANDS);
  const [a, b] = [pool.worker('a', 'commands.json', { args: ['x'] }), pool.worker('b', 'commands.json')];
  assert.deepEqual((await Promise.all([a.ready(), b.ready()])).map(({ name }) => name), ['svc', 'svc']);
  const [{ result: ofA }, { result: ofB }] = await Promise.all([a.ask('where', []), b.ask('where', [])]);
  assert.deepEqual(ofA, { isMainThread: false, pid: pool.host.process.pid, argv: ['x'], name: 'a' });
  assert.deepEqual(ofB, { isMainThread: false, pid: pool.host.process.pid, argv: [], name: 'b' });
  assert.deepEqual((await a.ask('pool', [])).result, ['pm-pool', 'a']);
});

test('a worker whose channel the daemon closes ends, and its end is told', async (t) => {
  const pool = await Pool.start(t, COMMANDS);
  const [worker, neighbour] = ['a', 'b'].map((name) => pool.worker(name, 'commands.json'));
  await Promise.all([worker.ready(), neighbour.ready()]);
  worker.process.stdio[3].destroy();
  assert.deepEqual(await worker.exited, { code: 75, signal: null });
  assert.equal(worker.stdout, 'stopped in order\n');
  assert.equal((await neighbour.ask('echo', [1])).result, 1);
});

test('a channel carries large messages and many of them', async (t) => {
  const pool = await Pool.start(t, COMMANDS);
  const a = pool.worker('a', 'commands.json');
  await a.ready();
  const large = 'x'.repeat(3 << 20);
  assert.equal((await a.ask('echo', [large])).result, large);
  const answers = await Promise.all(Array.from({ length: 2000 }, (_, index) => a.ask('echo', [index])));
  assert.deepEqual(answers.map(({ result }) => result), Array.from({ length: 2000 }, (_, index) => index));
});

test('each worker has its own output, complete, on both streams', async (t) => {
  const pool = await Pool.start(t, {
    'job.mjs': 'for (let i = 0; i < 50000; i++) console.log(process.env.PM_NAME, i); console.error("to", process.env.PM_NAME); process.exit(3);',
  });
  const workers = ['a', 'b'].map((name) => pool.worker(name, 'job.mjs'));
  for (const [index, name] of ['a', 'b'].entries()) {
    assert.deepEqual(await workers[index].exited, { code: 3, signal: null });
    assert.equal(workers[index].stdout, Array.from({ length: 50_000 }, (_, i) => `${name} ${i}\n`).join(''));
    assert.equal(workers[index].stderr, `to ${name}\n`);
  }
});

test('a worker that throws, exits, or cannot be started takes no neighbour along', async (t) => {
  const pool = await Pool.start(t, {
    ...COMMANDS, 'throws.mjs': 'setTimeout(() => { throw new Error("broken"); }, 10);', 'rejects.cjs': 'Promise.reject(new Error("refused"));',
    'exits.cjs': 'process.exit(7);', 'syntax.cjs': 'this is no program',
  });
  const neighbour = pool.worker('neighbour', 'commands.json');
  await neighbour.ready();
  for (const [program, code, text] of [['throws.mjs', 1, 'broken'], ['rejects.cjs', 1, 'refused'], ['exits.cjs', 7, ''], ['syntax.cjs', 1, 'SyntaxError'], ['missing.cjs', 1, 'missing.cjs']]) {
    const worker = pool.worker('web', program);
    assert.deepEqual(await worker.exited, { code, signal: null }, program);
    assert.ok(worker.stderr.includes(text), `${program}: ${worker.stderr}`);
  }
  assert.equal((await neighbour.ask('echo', [1])).result, 1);
});

test('a worker that reaches the limit of its heap is ended alone', async (t) => {
  const pool = await Pool.start(t, { ...COMMANDS, 'leak.cjs': 'const all = []; setInterval(() => { for (let i = 0; i < 1e5; i++) all.push({ i }); }, 1);' });
  const neighbour = pool.worker('neighbour', 'commands.json');
  await neighbour.ready();
  const leak = pool.worker('leak', 'leak.cjs', { heapMiB: 32 });
  assert.equal((await leak.exited).code, 1);
  assert.match(leak.stderr, /leak is ended: its heap has reached its limit, 32 MiB \(limits\.memory\)/);
  assert.equal((await neighbour.ask('echo', [1])).result, 1);
});

test('a worker that spins is noticed and ended; one that only waits is not', async (t) => {
  const pool = await Pool.start(t, { ...COMMANDS, 'spin.cjs': 'console.log("spins"); setTimeout(() => { for (;;); }, 10);' });
  const neighbour = pool.worker('neighbour', 'commands.json', { heartbeat: 4000 });
  const idle = pool.worker('idle', 'idle.mjs', { heartbeat: 4000 });
  await Promise.all([neighbour.ready(), idle.prints('idle')]);
  const spin = pool.worker('spin', 'spin.cjs', { heartbeat: 4000 });
  assert.equal((await spin.exited).code, 1);
  assert.match(spin.stderr, /spin is ended: it has not turned its event loop for 4 s \(heartbeat\)/);
  assert.equal(spin.stdout, 'spins\n');
  assert.equal((await neighbour.ask('echo', [1])).result, 1);
  assert.deepEqual(Object.keys(await pool.usage()).sort(), ['idle', 'neighbour']);
});

test('SIGTERM reaches a worker as its program likes it; else it ends the worker', async (t) => {
  const pool = await Pool.start(t, {
    'port.mjs': `${THREADS}parentPort.on('message', (message) => { console.log('got', message); process.exit(5); }); console.log('up');`,
    'event.cjs': `process.on('SIGTERM', (name, number) => { console.log('got', name, number); process.exit(6); }); setInterval(() => {}, 1000); console.log('up');`,
    'none.cjs': `setInterval(() => {}, 1000); console.log('up');`,
  });
  for (const [program, code, output] of [['port.mjs', 5, 'up\ngot SIGTERM\n'], ['event.cjs', 6, 'up\ngot SIGTERM 15\n'], ['none.cjs', 143, 'up\n']]) {
    const worker = pool.worker('web', program);
    await worker.prints('up');
    worker.process.kill('SIGTERM');
    assert.deepEqual(await worker.exited, { code, signal: null }, program);
    assert.equal(worker.stdout, output);
  }
});

test('a worker in a process of its own gets the signals, and its channel, too', async (t) => {
  const root = folder(t, {
    ...COMMANDS, 'port.mjs': `${THREADS}parentPort.on('message', (message) => { console.log('got', message); if (message === 'SIGTERM') process.exit(5); }); console.log('up');`,
  });
  const own = new Host(t, { command: [process.execPath, THREAD, join(root, 'port.mjs')], env: { PM_CHANNEL_FD: undefined } });
  await own.prints('up');
  own.process.kill('SIGUSR2');
  await own.prints('got SIGUSR2');
  own.process.kill('SIGTERM');
  assert.deepEqual(await own.exited, { code: 5, signal: null });

  const list = new Host(t, { command: [process.execPath, THREAD, HOST, join(root, 'commands.json')] });
  await list.ready();
  assert.equal((await list.ask('where', [])).result.isMainThread, false);
  assert.equal((await list.ask('pool', [])).error !== undefined, true);
  list.process.kill('SIGTERM');
  assert.deepEqual(await list.exited, { code: 0, signal: null });
  assert.equal(list.stdout, 'stopped in order\n');
});

test('$stop and SIGTERM end a list of commands in order', async (t) => {
  const pool = await Pool.start(t, COMMANDS);
  for (const stop of [(worker) => worker.ask('$stop', [null]), (worker) => worker.process.kill('SIGTERM')]) {
    const worker = pool.worker('web', 'commands.json');
    await worker.ready();
    stop(worker);
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.equal(worker.stdout, 'stopped in order\n');
  }
});

test('a killed pm-worker ends its thread, and the next worker of that name waits for that', async (t) => {
  const pool = await Pool.start(t, {
    'beat.mjs': `let pool = globalThis[Symbol.for('pm.pool')].pool;
      const runs = new Int32Array(await pool.shared('runs', 4));
      console.log('others', Atomics.add(runs, 0, 1));
      process.on('exit', () => Atomics.sub(runs, 0, 1));
      setInterval(() => {}, 1000);`,
  });
  const first = pool.worker('web', 'beat.mjs');
  await first.prints('others 0');
  first.process.kill('SIGKILL');
  const second = pool.worker('web', 'beat.mjs');
  await second.prints('others');
  assert.deepEqual(Object.keys(await pool.usage()), ['web']);
});

test('child processes of a worker end with it, and those of others do not', async (t) => {
  const pool = await Pool.start(t, {
    'spawns.mjs': `import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
      child.on('spawn', () => console.log('child', child.pid));`,
  });
  const workers = ['a', 'b'].map((name) => pool.worker(name, 'spawns.mjs', { env: { PM_MARKER: `test-${name}` } }));
  await Promise.all(workers.map((worker) => worker.prints('child')));
  const [own, other] = workers.map(({ stdout }) => Number(stdout.match(/child (\d+)/)[1]));
  workers[0].process.kill('SIGTERM');
  await workers[0].exited;
  // Without its thread nobody in the host waits for it: it is a zombie until the host ends.
  const runs = () => existsSync(`/proc/${own}/stat`) && !/\) Z /.test(readFileSync(`/proc/${own}/stat`, 'utf8'));
  while (runs()) await pool.usage();
  process.kill(other, 0);
  workers[1].process.kill('SIGTERM');
  await workers[1].exited;
});

test('where terminate() does not help the pool ends, and says so to all', async (t) => {
  // What blocks in a system call is not interrupted by terminate(): a pipe that nobody opens for writing.
  const pool = await Pool.start(t, { ...COMMANDS, 'block.cjs': `console.log('blocks'); setTimeout(() => require('fs').openSync(__dirname + '/fifo'), 50);` });
  execFileSync('mkfifo', [join(pool.root, 'fifo')]);
  const neighbour = pool.worker('neighbour', 'commands.json');
  await neighbour.ready();
  const block = pool.worker('block', 'block.cjs', { heartbeat: 3000 });
  assert.equal((await block.exited).code, 75);
  assert.equal((await neighbour.exited).code, 75);
  assert.deepEqual(await pool.host.exited, { code: null, signal: 'SIGKILL' });
  for (const worker of [block, neighbour, pool.host]) assert.match(worker.stderr, /worker block cannot be ended, so its pool pm-pool is started again/);
  assert.match(neighbour.stderr, /the pool of workers that this one ran in has ended/);
});

test('workers share memory, and transfer to each other', async (t) => {
  const pool = await Pool.start(t, {
    'one.mjs': `const { pool } = globalThis[Symbol.for('pm.pool')];
      const numbers = new Int32Array(await pool.shared('numbers', 8));
      pool.on('connection', (port, from) => port.once('message', ({ bytes }) => {
        Atomics.store(numbers, 1, bytes[0]);
        port.postMessage('stored from ' + from);
      }));
      Atomics.store(numbers, 0, 42);
      console.log('one', await pool.workers());`,
    'two.mjs': `import { pool } from '@akala/pm';
      const numbers = new Int32Array(await pool.shared('numbers', 8));
      for (const refused of [pool.connect('nobody'), pool.shared('numbers', 4), pool.shared('none', 0)]) await refused.catch((error) => console.error(error.message));
      const port = await pool.connect('one');
      const bytes = new Uint8Array([7]);
      port.postMessage({ bytes }, [bytes.buffer]);
      port.once('message', (message) => {
        console.log(message, numbers[0], numbers[1], bytes.length);
        process.exit();
      });`,
  });
  const one = pool.worker('one', 'one.mjs');
  await one.prints(`one [ 'one' ]`);
  const two = pool.worker('two', 'two.mjs');
  const ended = await two.exited;
  assert.equal(ended.code, 0, two.stderr);
  assert.equal(two.stdout, 'stored from two 42 7 0\n');
  assert.equal(two.stderr, 'no worker nobody runs in this pool\nthe shared memory numbers has 8 bytes, not 4\nthe size of the shared memory none must be a whole number of bytes, not 0\n');
});

test('usage has processor time and memory of each worker', async (t) => {
  const pool = await Pool.start(t, {
    ...COMMANDS, 'busy.cjs': `const until = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < until); globalThis.kept = Buffer.alloc(64 << 20, 1); console.log('done'); setInterval(() => {}, 1000);`,
  });
  const [idle, busy] = [pool.worker('idle', 'idle.mjs'), pool.worker('busy', 'busy.cjs')];
  await Promise.all([idle.prints('idle'), busy.prints('done')]);
  let usage = await pool.usage();
  // A worker on a busy machine may answer too late for the first ones.
  while (usage.busy.memoryBytes === 0 || usage.idle.memoryBytes === 0) usage = await pool.usage();
  assert.ok(usage.busy.cpuMs >= 200, JSON.stringify(usage));
  assert.ok(usage.busy.memoryBytes > 64 << 20 && usage.idle.memoryBytes < 64 << 20 && usage.idle.memoryBytes > 1 << 20, JSON.stringify(usage));
});

test('a stopped pool waits for its workers, and an empty one ends', async (t) => {
  const pool = await Pool.start(t, COMMANDS);
  const worker = pool.worker('web', 'commands.json');
  await worker.ready();
  pool.host.process.kill('SIGTERM');
  assert.equal((await worker.ask('echo', [1])).result, 1);
  worker.process.kill('SIGTERM');
  assert.deepEqual(await worker.exited, { code: 0, signal: null });
  assert.deepEqual(await pool.host.exited, { code: 0, signal: null });

  const brief = await Pool.start(t, COMMANDS, { PM_POOL_IDLE: '200' });
  const last = brief.worker('web', 'idle.mjs');
  await last.prints('idle');
  last.process.kill('SIGTERM');
  assert.deepEqual(await brief.host.exited, { code: 0, signal: null });
});

test('options of NODE_OPTIONS that a thread cannot have are left out, and that is said', async (t) => {
  const pool = await Pool.start(t, COMMANDS);
  const worker = pool.worker('web', 'idle.mjs', { env: { NODE_OPTIONS: '--v8-pool-size=2' } });
  await worker.prints('idle');
  await worker.says('NODE_OPTIONS has options that hold for a whole process');
});
