/** Services written for the reference: stand-ins for its packages, which behave as it does where a service can see it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectByPreference } from '../../../Sources/node/client/index.mjs';
import { definition, folder, Host, hostOf } from '../support/host.mjs';

const PRELOAD = fileURLToPath(new URL('../../../Sources/node/host/preload.cjs', import.meta.url));
const CORE = `const modules = new Map();
  const injected = (name) => {
    if (!modules.has(name)) modules.set(name, new Map());
    return { register: (key, value) => modules.get(name).set(key, value), resolve: (key) => modules.get(name).get(key) ?? null };
  };`;
const SIDECAR = 'const pm = injected("@akala/pm").resolve("container"); return pm && { users: { dispatch: (...all) => pm.dispatch(...all) } };';
const exported = (name) => ({ name, exports: { '.': { import: { types: './x.d.ts', default: './esm.mjs' }, require: { default: './cjs.cjs' } } } });

/** `@akala/pm` and `@akala/core` as a program has them installed; the latter is a package of the former alone. */
const INSTALLED = {
  'node_modules/@akala/pm/package.json': exported('@akala/pm'),
  'node_modules/@akala/pm/esm.mjs': `import { module as injected } from '@akala/core'; export const sidecar = () => { ${SIDECAR} };`,
  'node_modules/@akala/pm/cjs.cjs': `const injected = require('@akala/core').module; exports.sidecar = () => { ${SIDECAR} };`,
  'node_modules/@akala/pm/node_modules/@akala/core/package.json': exported('@akala/core'),
  'node_modules/@akala/pm/node_modules/@akala/core/esm.mjs': `${CORE} export { injected as module };`,
  'node_modules/@akala/pm/node_modules/@akala/core/cjs.cjs': `${CORE} exports.module = injected;`,
};

test('sidecar() of an installed @akala/pm has its connection in a service, in ES modules and CommonJS', async (t) => {
  const host = await hostOf(t, {
    ...INSTALLED,
    'commands.json': { name: 'svc', commands: [{ name: 'esm', config: { fs: { path: 'esm.mjs' } } }, { name: 'cjs', config: { fs: { path: 'cjs.cjs' } } }] },
    'esm.mjs': 'import { sidecar } from "@akala/pm"; export default () => sidecar().users.dispatch("users.get", 4);',
    'cjs.cjs': 'const { sidecar } = require("@akala/pm"); module.exports = () => sidecar().users.dispatch("users.get", 5);',
  }, { serve: { 'users.get': (id) => id * 10 } });
  assert.equal((await host.ask('esm')).result, 40);
  assert.equal((await host.ask('cjs')).result, 50);
  assert.equal(host.stderr, '');
});

for (const [file, program] of [
  ['app.mjs', 'import { sidecar } from "@akala/pm"; console.log(await sidecar().users.dispatch("users.get", 4)); process.exit();'],
  ['app.cjs', 'const { sidecar } = require("@akala/pm"); sidecar().users.dispatch("users.get", 4).then((x) => { console.log(x); process.exit(); });'],
]) {
  test(`sidecar() of an installed @akala/pm has its connection in a program without commands, ${file}`, async (t) => {
    const root = folder(t, { ...INSTALLED, [file]: program });
    const server = net.createServer((socket) => socket.setEncoding('utf8').on('error', () => {}).on('data', (text) => {
      for (const { id, method, params } of text.trim().split('\n').map((line) => JSON.parse(line))) {
        socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: method === 'users.get' ? params[0] * 10 : { name: 'pm', commands: [] } })}\n`);
      }
    }));
    await once(server.listen(join(root, 'pm.sock')), 'listening');
    t.after(() => server.close());
    const app = spawn(process.execPath, ['--require', PRELOAD, join(root, file)], { env: { ...process.env, PM_SOCK: `jsonrpc+unix://${root}/pm.sock` } });
    let said = '';
    for (const stream of [app.stdout, app.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
    await once(app, 'close');
    assert.equal(said, '40\n');
  });
}

test('$init gets abort, logger, state and commandPath, and what it commits is there at the next start', async (t) => {
  const root = folder(t, {
    'commands.json': definition({ $init: { cli: { inject: ['context'] } }, seen: {} }),
    'init.mjs': `export default async function ({ abort, logger, state, commandPath }) {
      abort.signal.addEventListener('abort', () => console.log('aborted'));
      logger.use('db').warn('low on %s', 'space');
      logger.info('hello');
      logger.silly('never');
      this.seen = [commandPath, state.get('db.port'), state.db.host, state.get('count') ?? 0, Object.keys(state), state.has('nope'), state.get('__proto__')];
      state.set('count', (state.count ?? 0) + 1);
      state.set('db.user', 'me');
      state.extra = { list: [1] };
      await state.commit();
    }`,
    'seen.mjs': 'export default function () { return this.seen; }',
  });
  const start = () => new Host(t, { program: join(root, 'commands.json'), cwd: root, env: { PM_NAME: '@a/svc', PM_CONFIG: '{"db":{"port":80,"host":"h"}}' } });
  const first = start();
  assert.deepEqual((await first.ask('seen')).result, ['$init', 80, 'h', 0, ['db'], false, null]);
  assert.match(first.stdout, /^@a\/svc info: hello\n/);
  assert.match(first.stderr, /^@a\/svc:db warn: low on space\n/);
  first.process.kill('SIGTERM');
  assert.equal((await first.exited).code, 0);
  assert.match(first.stdout, /aborted\n$/);
  const second = start();
  assert.deepEqual((await second.ask('seen')).result, ['$init', 80, 'h', 1, ['db', 'count', 'extra'], false, null]);
  const kept = JSON.parse(readFileSync(join(root, '.pm.state/%40a%2Fsvc.json'), 'utf8'));
  assert.deepEqual(kept, { db: { port: 80, host: 'h', user: 'me' }, count: 2, extra: { list: [1] } });
});

test('$container has what containers of the reference have', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ $init: { cli: { inject: ['$container', '$injector'] } }, own: { '': { inject: ['params.0', 'auth', 'late', 'nested.value'] } } }),
    'own.mjs': 'export default (first, auth, late, nested) => [first, auth, late, nested];',
    'init.mjs': `export default async (container, injector) => {
      const results = [container === injector, container.resolve('$container') === container, container.resolve('nope'), container.name];
      container.onResolve('late').then((value) => results.push(value));
      container.register('late', 'registered');
      container.register('nested', { value: 7 });
      results.push(container.resolve('nested.value'), container.inject('late')(function (late, more) { return [late, more]; })(1));
      results.push(container.keys().includes('late'), container.resolve('own').config.fs !== undefined);
      try { container.register('late', 2); } catch (error) { results.push(error.message); }
      container.register({ name: 'self', config: { '': { inject: ['params.0'] } }, handler: (x) => ['self', x] });
      container.register({ name: 'with', config: { '': {} }, processor: { handle: async (origin, command, param) => { throw [command.name, origin === container, param.params]; } } });
      container.register({ name: 'general', config: { '': {} } });
      container.register({ name: 'gone', config: { '': {} }, handler: () => 1 });
      container.unregister('gone');
      container.register('sub', { dispatch: async (name, ...params) => ['sub', name, params] });
      container.processor.useMiddleware(6, { handle: async (origin, command, param) => { param.auth = 'me'; } });
      container.processor.useMiddleware(30, { handle: async (origin, { name }, { params }) => { if (name === 'general') throw ['general', params]; } });
      results.push(await container.dispatch('self', 1), await container.dispatch('sub.deep', 2), container.attach((c, place) => [c === container, place], 'there'));
      results.push(await container.handle(container, 'self', { params: [3], _trigger: 'http' }).then(() => 'resolved', (result) => result));
      results.push(await container.handle(container, 'nope').then((error) => error.code), container.parent);
      container.register('results', results);
    };`,
  });
  assert.deepEqual(host.metadata.commands.map(({ name }) => name), ['$init', 'own', 'self', 'with', 'general']);
  assert.deepEqual((await host.ask('own', ['x'])).result, ['x', 'me', 'registered', 7]);
  assert.deepEqual((await host.ask('with', [1])).result, ['with', true, [1]]);
  assert.deepEqual((await host.ask('general', [2])).result, ['general', [2]]);
  assert.equal((await host.ask('gone')).error.code, -32601);
  const files = { 'commands.json': definition({}) };
  assert.deepEqual((await hostOf(t, files)).metadata.commands, []);
});

const TALKERS = {
  'commands.json': definition({
    who: { '': { inject: ['connectionId', 'connection.connectionId', 'socket.constructor.name', '$injector.name'] } },
    back: { '': { inject: ['connectionAsContainer', 'params.0'] } }, $disconnect: { jsonrpc: { inject: ['connectionId'] } },
  }),
  'who.mjs': 'export default (...all) => all;',
  'back.mjs': 'export default (client, x) => client.dispatch("answer", x);',
  'disconnect.mjs': 'export default (id) => console.log("left", id);',
};

test('commands can know which connection calls, and call back on it', async (t) => {
  const root = folder(t, TALKERS);
  const host = new Host(t, {
    program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify({ [`jsonrpc+unix://${root}/svc.sock`]: {} }) }, serve: { answer: (x) => x + 1 },
  });
  await host.ready();
  const [id, same, socket, injector] = (await host.ask('who')).result;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.deepEqual([same, socket, injector], [id, 'Socket', 'svc']);
  assert.equal((await host.ask('back', [1])).result, 2);
  const client = net.connect(`${root}/svc.sock`);
  let text = '';
  client.setEncoding('utf8').on('data', (data) => (text += data));
  const line = async (condition) => {
    for (;;) {
      const found = text.split('\n').slice(0, -1).map((one) => JSON.parse(one)).find(condition);
      if (found !== undefined) return found;
      await once(client, 'data');
    }
  };
  client.write('{"jsonrpc":"2.0","id":1,"method":"who"}\n{"jsonrpc":"2.0","id":2,"method":"back","params":[5]}\n');
  const { result: [other] } = await line((message) => message.id === 1);
  assert.notEqual(other, id);
  const asked = await line(({ method }) => method === 'answer');
  client.write(`{"jsonrpc":"2.0","id":"${asked.id}","result":"called back with ${asked.params[0]}"}\n`);
  assert.equal((await line((message) => message.id === 2)).result, 'called back with 5');
  client.destroy();
  await host.prints(`left ${other}\n`);
  const { container } = await connectByPreference({ [`jsonrpc+unix://${root}/svc.sock`]: {} });
  assert.equal((await container.dispatch('who')).length, 4);
  container.close();
  host.channel.destroy();
  await host.exited;
  assert.match(host.stdout, new RegExp(`left ${id}\n`));
});
