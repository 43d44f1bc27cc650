import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as client from '../../../Sources/node/client/index.mjs';
import { definition, folder, Host, hostOf } from '../support/host.mjs';

const require = createRequire(import.meta.url);

test('interact throws a question that crosses the wire as the reference writes it', () => {
  assert.throws(() => client.interact('Name?', 'name'), client.InteractError);
  const error = new client.InteractError('Name?', 'name');
  assert.ok(error instanceof Error);
  assert.equal(JSON.stringify(error), '{"code":"INTERACT","message":"Name?","as":"name"}');
  assert.equal(JSON.stringify(new client.InteractError('Go on?')), '{"code":"INTERACT","message":"Go on?"}');
});

test('random names have the form brave-stallman, and there are thousands of them', () => {
  const names = new Set();
  for (let n = 0; n < 20_000; n++) {
    const name = client.getRandomName();
    assert.match(name, /^[a-z]+-[a-z]+$/);
    names.add(name);
  }
  const part = (index) => new Set([...names].map((name) => name.split('-')[index])).size;
  assert.ok(part(0) >= 60 && part(1) >= 60, `${part(0)} adjectives, ${part(1)} surnames`);
  assert.match(client.getRandomName(1), /^[a-z]+-[a-z]+\d$/);
});

test('import and require give the same client', () => {
  assert.equal(require('../../../Sources/node/client/index.cjs').InteractError, client.InteractError);
});

const ASK = {
  'package.json': { type: 'module', peerDependencies: { '@akala/pm': '*' } },
  'commands.json': definition({ esm: {}, cjs: { fs: { path: 'cjs.cjs' } }, lib: {} }),
  'esm.mjs': 'import { interact } from "@akala/pm"; export default (name) => name ?? interact("Name?", "name");',
  'cjs.cjs': 'const { interact } = require("@akala/pm"); module.exports = () => interact("From CommonJS?");',
  'lib.mjs': 'import { value } from "./deep/lib.mjs"; export default () => value;',
  'deep/lib.mjs': 'import { getRandomName } from "@akala/pm"; export const value = typeof getRandomName;',
};

test('a service imports and requires the client that it has not installed', async (t) => {
  const host = await hostOf(t, ASK);
  assert.deepEqual((await host.ask('esm')).error, { code: 'INTERACT', message: 'Name?', as: 'name' });
  assert.equal((await host.ask('esm', ['Ada'])).result, 'Ada');
  assert.deepEqual((await host.ask('cjs')).error, { code: 'INTERACT', message: 'From CommonJS?' });
  assert.equal((await host.ask('lib')).result, 'function');
});

test('an installed client wins', async (t) => {
  const host = await hostOf(t, {
    ...ASK,
    'node_modules/@akala/pm/package.json': { name: '@akala/pm', version: '9.0.0', main: 'index.cjs' },
    'node_modules/@akala/pm/index.cjs': 'exports.interact = () => "installed"; exports.getRandomName = "installed";',
  });
  assert.equal((await host.ask('esm')).result, 'installed');
  assert.equal((await host.ask('cjs')).result, 'installed');
  assert.equal((await host.ask('lib')).result, 'string');
});

test('a client that only the sources mention is found', async (t) => {
  const host = await hostOf(t, {
    'package.json': {}, 'commands.json': definition({ x: { fs: { path: 'lib/x.mjs' } } }),
    'lib/x.mjs': 'import { getRandomName } from "@akala/pm"; export default () => typeof getRandomName;',
  });
  assert.equal((await host.ask('x')).result, 'function');
});

test('a client imported where nobody looks for it is missed with a hint', async (t) => {
  const files = {
    'package.json': {}, 'commands.json': definition({ x: { fs: { path: '.hidden/x.mjs' } } }),
    '.hidden/x.mjs': 'import "@akala/pm"; export default () => 1;',
  };
  // Only a Node with synchronous hooks finds it.
  if (module.registerHooks) return void (await hostOf(t, files));
  const host = new Host(t, { program: join(folder(t, files), 'commands.json') });
  assert.equal((await host.exited).code, 1);
  assert.match(host.stderr, /Cannot find package '@akala\/pm' .*; name it in the dependencies in package\.json$/m);
});

const PRELOAD = fileURLToPath(new URL('../../../Sources/node/host/preload.cjs', import.meta.url));

/** Runs a program of Node as pm does one that has no commands; the result is its output. */
function plain(t, files, ...words) {
  const options = { cwd: folder(t, files), encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: `--require="${PRELOAD}"` } };
  const { stdout, stderr } = spawnSync(process.execPath, words, options);
  return stdout + stderr;
}

test('a program that is no container finds the client too, and so do its children and threads', (t) => {
  const import_ = 'import { getRandomName } from "@akala/pm"; console.log(typeof getRandomName, process.argv.slice(2).join());';
  assert.equal(plain(t, { 'a.mjs': import_ }, 'a.mjs', 'x', 'y'), 'function x,y\n');
  assert.equal(plain(t, { 'package.json': { type: 'module' }, 'a.js': import_ }, 'a'), 'function \n');
  assert.equal(plain(t, {}, '-p', 'typeof require("@akala/pm").sidecar'), 'function\n');
  assert.equal(plain(t, { 'a.cjs': 'console.log(typeof require("@akala/pm").sidecar)' }, 'a.cjs'), 'function\n');
  const child = 'require("child_process").fork("./a.mjs")';
  assert.equal(plain(t, { 'a.mjs': import_, 'b.cjs': child }, 'b.cjs'), 'function \n');
  const thread = 'new (require("worker_threads").Worker)("./a.mjs")';
  assert.equal(plain(t, { 'a.mjs': import_, 'b.cjs': thread }, 'b.cjs'), 'function \n');
  const installed = { name: '@akala/pm', version: '9.0.0', main: 'index.cjs' };
  const own = { 'node_modules/@akala/pm/package.json': installed, 'node_modules/@akala/pm/index.cjs': 'exports.getRandomName = 1' };
  assert.equal(plain(t, { 'a.mjs': import_, ...own }, 'a.mjs'), 'number \n');
});

test('with synchronous hooks the client is what is found when nothing else is', async () => {
  const hooks = [];
  const original = module.registerHooks;
  module.registerHooks = (added) => hooks.push(added);
  try {
    const { provideClient } = await import('../../../Sources/node/host/reference/client.cjs');
    provideClient('/program.mjs');
  } finally {
    module.registerHooks = original;
  }
  const [{ resolve }] = hooks;
  const missing = () => { throw new Error('missing'); };
  const found = (specifier) => ({ url: `found:${specifier}` });
  assert.deepEqual(resolve('@akala/pm', { conditions: ['node', 'import'] }, found), { url: 'found:@akala/pm' });
  assert.match(resolve('@akala/pm', { conditions: ['node', 'import'] }, missing).url, /client\/index\.mjs$/);
  assert.match(resolve('@akala/pm', { conditions: ['node', 'require'] }, missing).url, /client\/index\.cjs$/);
  assert.throws(() => resolve('other', { conditions: [] }, missing), /missing/);
});

test('another missing package is still missing', async (t) => {
  const files = {
    'commands.json': definition({ x: {}, y: { fs: { path: 'y.cjs' } } }),
    'x.mjs': 'import "@akala/other"; export default () => 1;', 'y.cjs': 'require("@akala/other"); module.exports = () => 1;',
  };
  const host = new Host(t, { program: join(folder(t, files), 'commands.json') });
  assert.equal((await host.exited).code, 1);
  assert.match(host.stderr, /command x of svc: Cannot find package '@akala\/other'/);
  assert.match(host.stderr, /command y of svc: Cannot find module '@akala\/other'/);
});

test('what programs import of the reference by other names is there', async (t) => {
  const root = folder(t, { 'package.json': { type: 'module' } });
  mkdirSync(join(root, 'node_modules/@akala'), { recursive: true });
  symlinkSync(fileURLToPath(new URL('../../../Sources/node/client', import.meta.url)), join(root, 'node_modules/@akala/pm'));
  const program = `
    import interact, { interact as named, meta, sidecarSingleton, sidecar } from '@akala/pm';
    import { createRequire } from 'node:module';
    import plugin, { remotePm } from '@akala/pm/akala';
    const require = createRequire(import.meta.url);
    const commands = require('@akala/pm/commands.json');
    const one = sidecarSingleton({ pmSock: '/nowhere' });
    const said = [];
    plugin({}, { command: (name) => (said.push(name), { action: (run) => said.push(typeof run) }) });
    console.log(interact === named, require('@akala/pm').default === named, one === sidecarSingleton(), one !== sidecar({ pmSock: '/nowhere' }));
    console.log(require('@akala/pm/package.json').name, meta.name, commands.commands.length === meta.commands.length, remotePm.name, ...said);
  `;
  writeFileSync(join(root, 'program.mjs'), program);
  assert.equal(execFileSync(process.execPath, [join(root, 'program.mjs')], { encoding: 'utf8' }), 'true true true true\n@akala/pm pm true pm pm function\n');
});
