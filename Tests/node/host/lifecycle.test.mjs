import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { definition, folder, Host, hostOf } from '../support/host.mjs';

const STOPPABLE = {
  'commands.json': definition({ $stop: {}, wait: {}, echo: {} }),
  'stop.mjs': 'export default function () { console.log("stopped", this.n ?? ""); return "bye"; }',
  'wait.mjs': `import { once } from 'node:events';
    export default async () => {
      const go = once(process, 'SIGUSR2');
      console.log('waiting');
      await go;
      return 'released';
    };`,
  'echo.mjs': 'export default (x) => x;',
};

/** A `$stop` that prints, and goes on when it gets SIGUSR2. */
const SLOW_STOP = {
  'commands.json': definition({ $stop: {}, hang: {} }),
  'hang.mjs': 'export default () => new Promise(() => {});',
  'stop.mjs': `import { once } from 'node:events';
    export default async () => {
      const go = once(process, 'SIGUSR2');
      console.log('stopping');
      await go;
      console.log('stopped');
    };`,
};

test('$init gets options, arguments, context and configuration, before anything is served', async (t) => {
  const files = {
    'commands.json': definition({
      $init: {
        '': { inject: ['params.0'] },
        cli: {
          inject: ['options', 'args', 'context', 'params.0', 'config.a'],
          options: { port: { aliases: ['p'], needsValue: true } },
        },
      },
      seen: {},
    }),
    'init.mjs': `export default async function (options, args, { config, currentWorkingDirectory, pm, ...context }, first, a) {
      await new Promise((resolve) => setImmediate(resolve));
      this.seen = {
        options, args, config, currentWorkingDirectory, pm: typeof pm.dispatch, context: Object.keys(context), first, a,
        argv: process.argv.slice(2), fd: process.env.PM_CHANNEL_FD ?? null,
      };
    }`,
    'seen.mjs': 'export default function () { return this.seen; }',
  };
  const root = folder(t, files);
  const env = { PM_CONFIG: '{"a":1}', PM_SOCK: 'jsonrpc+unix:///pm.sock' };
  const args = ['-p', '80', '--mode=fast', 'pos'];
  const host = new Host(t, { program: join(root, 'commands.json'), args, env, cwd: root });
  const { result } = await host.ask('seen');
  assert.equal((await host.ask('$init', [])).error.code, -32601);
  const program = join(root, 'commands.json');
  assert.deepEqual(result, {
    options: { name: 'svc', program, pmSock: env.PM_SOCK, config: { a: 1 }, port: '80', mode: 'fast', args: ['pos'] },
    args: ['pos'], config: { a: 1 }, currentWorkingDirectory: root, pm: 'function', context: ['args', 'argv', 'options', 'commandPath', 'abort', 'logger', 'state'],
    first: 'pos', a: 1, argv: args, fd: null,
  });
});

test('a service whose $init fails ends with code 1 and says why, and is never ready', async (t) => {
  for (const body of ['() => { throw new Error("no database"); }', 'async () => { throw new Error("no database"); }']) {
    const root = folder(t, { 'commands.json': definition({ $init: {} }), 'init.mjs': `export default ${body};` });
    const host = new Host(t, { program: join(root, 'commands.json'), serve: { ready: () => assert.fail('ready') } });
    assert.deepEqual(await host.exited, { code: 1, signal: null });
    assert.match(host.stderr, /^pm: cannot start svc: Error: no database\n {4}at .*init\.mjs:1/);
  }
});

test('an option of $init that has no value is a clear failure', async (t) => {
  const root = folder(t, { 'commands.json': definition({ $init: { cli: { options: { port: { needsValue: true } } } } }) });
  const host = new Host(t, { program: join(root, 'commands.json'), args: ['--port'] });
  assert.equal((await host.exited).code, 1);
  assert.match(host.stderr, /cannot start svc: Error: option --port needs a value/);
});

test('requests that come before $init is done wait for it', async (t) => {
  const root = folder(t, {
    'commands.json': definition({ $init: {}, value: {} }),
    'init.mjs': `import { once } from 'node:events';
      export default async function () {
        const go = once(process, 'SIGUSR2');
        console.log('in');
        await go;
        this.value = 5;
      }`,
    'value.mjs': 'export default function () { return this.value; }',
  });
  const host = new Host(t, { program: join(root, 'commands.json') });
  const answers = [host.ask('value'), host.ask('nope'), host.ask('$metadata')];
  await host.prints('in');
  // That it lives is true before it serves.
  assert.equal((await host.ask('$ping')).result, true);
  host.process.kill('SIGUSR2');
  const [value, nope, metadata] = await Promise.all(answers);
  assert.equal(value.result, 5);
  assert.equal(nope.error.code, -32601);
  assert.deepEqual(metadata.result.commands.map(({ name }) => name), ['$init', 'value']);
});

test('$stop is answered with its result, and the process then ends by itself with code 0', async (t) => {
  const host = await hostOf(t, STOPPABLE);
  assert.equal((await host.ask('$stop', [null])).result, 'bye');
  assert.deepEqual(await host.exited, { code: 0, signal: null });
  assert.equal(host.stdout, 'stopped \n');
});

test('a container without $stop can be stopped all the same', async (t) => {
  const host = await hostOf(t, { 'commands.json': definition({}) });
  assert.equal((await host.ask('$stop', [null])).error, null);
  assert.deepEqual(await host.exited, { code: 0, signal: null });
});

test('calls in flight are answered before a stopped service goes; new ones are refused', async (t) => {
  const host = await hostOf(t, STOPPABLE);
  const waiting = host.ask('wait');
  await host.prints('waiting');
  assert.equal((await host.ask('$stop')).result, 'bye');
  const { error } = await host.ask('echo', ['late']);
  assert.deepEqual([error.statusCode, error.message], [503, 'cannot call echo: svc is stopping']);
  assert.equal((await host.ask('$metadata')).result.name, 'svc');
  host.process.kill('SIGUSR2');
  assert.equal((await waiting).result, 'released');
  assert.deepEqual(await host.exited, { code: 0, signal: null });
});

test('$stop asked for twice runs once and is answered twice', async (t) => {
  const host = await hostOf(t, SLOW_STOP);
  const answers = [host.ask('$stop'), host.ask('$stop')];
  await host.prints('stopping');
  host.process.kill('SIGUSR2');
  await Promise.all(answers);
  assert.deepEqual(await host.exited, { code: 0, signal: null });
  assert.equal(host.stdout, 'stopping\nstopped\n');
});

test('a $stop that fails is answered with its error, and the process ends with code 1', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ $stop: {} }), 'stop.mjs': 'export default () => { throw new Error("stuck"); }',
  });
  assert.equal((await host.ask('$stop')).error.message, 'stuck');
  assert.deepEqual(await host.exited, { code: 1, signal: null });
});

test('SIGTERM runs $stop once and ends with code 0', async (t) => {
  const host = await hostOf(t, STOPPABLE);
  await host.ask('echo', []);
  host.process.kill('SIGTERM');
  assert.deepEqual(await host.exited, { code: 0, signal: null });
  assert.equal(host.stdout, 'stopped \n');
});

test('SIGTERM during $stop waits for it and its answer, a second one ends the process', async (t) => {
  const patient = await hostOf(t, SLOW_STOP);
  patient.ask('hang');
  const answer = patient.ask('$stop');
  await patient.prints('stopping');
  patient.process.kill('SIGTERM');
  patient.process.kill('SIGUSR2');
  assert.equal((await answer).error, null);
  assert.deepEqual(await patient.exited, { code: 0, signal: null });
  assert.equal(patient.stdout, 'stopping\nstopped\n');

  const killed = await hostOf(t, SLOW_STOP);
  killed.ask('$stop');
  await killed.prints('stopping');
  killed.process.kill('SIGTERM');
  killed.process.kill('SIGTERM');
  const { signal } = await Promise.race([killed.exited, (async () => {
    // Two signals sent at once may merge into one: keep sending until it is gone.
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!killed.process.kill('SIGTERM')) return killed.exited;
    }
  })()]);
  assert.equal(signal, 'SIGTERM');
});

test('without $stop SIGTERM ends the process as it ends any', async (t) => {
  const host = await hostOf(t, { 'commands.json': definition({}) });
  host.process.kill('SIGTERM');
  assert.deepEqual(await host.exited, { code: null, signal: 'SIGTERM' });
});

test('a closed channel runs $stop and ends the process, whatever still keeps it busy', async (t) => {
  const files = { ...STOPPABLE, 'echo.mjs': 'setInterval(() => {}, 1000); export default (x) => x;' };
  const host = await hostOf(t, files);
  await host.ask('echo', []);
  host.channel.destroy();
  assert.deepEqual(await host.exited, { code: 75, signal: null });
  assert.equal(host.stdout, 'stopped \n');
});

for (const [what, stop] of [
  ['says that all is well', 'process.exit(0)'], ['says so by the exit status', 'void (process.exitCode = 0)'], ['never ends', 'new Promise(() => setInterval(() => {}, 1000))'],
]) {
  test(`a service whose channel is lost ends with a status other than 0, also when its $stop ${what}`, async (t) => {
    const host = await hostOf(t, { 'commands.json': definition({ $stop: {} }), 'stop.mjs': `export default () => ${stop};` });
    host.channel.destroy();
    assert.deepEqual(await host.exited, { code: 75, signal: null });
  });
}

test('a channel that is half-closed by the daemon is closed', async (t) => {
  const host = await hostOf(t, STOPPABLE);
  host.channel.end();
  assert.equal((await host.exited).code, 75);
});

test('a channel that closes while the service starts ends it', async (t) => {
  const root = folder(t, {
    'commands.json': definition({ $init: {} }),
    'init.mjs': 'console.log("in"); export default () => new Promise((resolve) => setInterval(resolve, 1e6));',
  });
  const host = new Host(t, { program: join(root, 'commands.json') });
  await host.prints('in');
  host.channel.destroy();
  assert.equal((await host.exited).code, 75);
});

test('what service code throws outside a call ends the process as in bare Node', async (t) => {
  for (const source of ['setImmediate(() => { throw new Error("loose"); })', 'Promise.reject(new Error("loose"))']) {
    const host = await hostOf(t, { 'commands.json': definition({ go: {} }), 'go.mjs': `export default () => { ${source}; };` });
    host.write('{"jsonrpc":"2.0","id":1,"method":"go"}\n');
    assert.deepEqual(await host.exited, { code: 1, signal: null });
    assert.match(host.stderr, /Error: loose\n {4}at .*go\.mjs:1/);
  }
});

test('a service without a daemon runs its $init and stays while it has something to do', async (t) => {
  const root = folder(t, {
    'commands.json': definition({ $init: { cli: { inject: ['pm'] } } }),
    'init.mjs': 'export default async (pm) => { console.log(await pm.dispatch("status").catch((error) => error.message)); };',
  });
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CHANNEL_FD: undefined } });
  assert.deepEqual(await host.exited, { code: 0, signal: null });
  assert.equal(host.stdout, 'cannot call status: not connected to pm\n');
});

test('processes that a service starts do not hold its channel', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ descriptors: {} }),
    'descriptors.mjs': `import { execFileSync } from 'node:child_process';
      export default () => execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });`,
  });
  assert.doesNotMatch((await host.ask('descriptors')).result, / 3 -> socket/);
});
