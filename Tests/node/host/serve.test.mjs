/** Programs without a commands.json that serve their commands: `new Container(…)`, `register`, `serve()`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Container } from '../../../Sources/node/client/index.mjs';
import { folder, Host } from '../support/host.mjs';

const FILES = {
  'commands/do-something.js': 'module.exports = function (value) { return [value, this?.count ?? null]; };',
  'commands/injected.mjs': 'export default (first, state, config, pm) => [first, state.count, config, typeof pm.dispatch];',
};
const REGISTER = `
  container.register({ name: 'doSomething', config: { fs: { path: './commands/do-something.js' } } });
  container.register({ name: 'injected', config: { '': { inject: ['params.1', '$state', 'config', 'pm'] }, fs: { path: './commands/injected.mjs' } } });
  container.register('plain', (a, b) => a + b);
  container.register({ name: 'param', config: { '': { inject: ['$param'] } } }, (param) => Object.keys(param));`;

async function serving(t, name, source) {
  const root = folder(t, { ...FILES, [name]: source });
  const host = new Host(t, { program: join(root, name), env: { PM_CONFIG: '{"a":1}' } });
  const { name: told, commands } = await host.ready();
  assert.deepEqual([told, commands.map((command) => command.name)], ['my-service', ['doSomething', 'injected', 'plain', 'param']]);
  assert.deepEqual((await host.ask('doSomething', ['x'])).result, ['x', 5]);
  assert.deepEqual((await host.ask('injected', [1, 2])).result, [2, 5, { a: 1 }, 'function']);
  assert.equal((await host.ask('plain', [1, 2])).result, 3);
  assert.deepEqual((await host.ask('param', [1])).result.sort(), ['_trigger', 'params']);
  assert.equal(host.stderr, '');
  return { host, root };
}

const PROGRAMS = {
  'app.mjs': `import { Container } from '@akala/pm';
    const container = new Container('my-service', { count: 5 });
    ${REGISTER}
    await container.serve();`,
  'app.cjs': `const { Container } = require('@akala/pm');
    const container = new Container('my-service', { count: 5 });
    ${REGISTER}
    container.serve();`,
  'later.mjs': `import { Container } from '@akala/pm';
    const container = new Container('my-service', { count: 5 });
    setImmediate(() => setImmediate(async () => { ${REGISTER} await container.serve(); }));`,
  'exported.mjs': `import { Container } from '@akala/pm';
    export const container = new Container('my-service', { count: 5 });
    ${REGISTER}`,
};

for (const [name, source] of Object.entries(PROGRAMS)) {
  test(`a program serves its commands: ${name}`, async (t) => {
    await serving(t, name, source);
  });
}

test('a program in TypeScript serves its commands where Node runs it, and says so where it does not', async (t) => {
  const source = `import { Container } from '@akala/pm';
    const container: Container = new Container('my-service', { count: 5 });
    ${REGISTER}
    await container.serve();`;
  if (process.features.typescript) return serving(t, 'app.mts', source);
  const root = folder(t, { 'app.mts': source });
  const host = new Host(t, { program: join(root, 'app.mts') });
  assert.equal((await host.exited).code, 1);
  assert.match(host.stderr, /app\.mts: Node runs TypeScript from version 22\.18 on, and this is v[\d.]+; compile it to JavaScript first/);
});

test('the example of the documentation: a container without state that takes its metadata from a file', async (t) => {
  const root = folder(t, {
    ...FILES, 'meta.json': { name: 'x', commands: [{ name: 'other', config: { fs: { path: './commands/do-something.js' } } }] },
    'app.cjs': `const { Container } = require('@akala/pm');
      const container = new Container('my-service', null);
      container.register({ name: 'doSomething', config: { fs: { path: './commands/do-something.js' } } });
      module.exports = { container, metadata: require('./meta.json') };`,
  });
  const host = new Host(t, { program: join(root, 'app.cjs') });
  assert.deepEqual((await host.ready()).commands.map(({ name }) => name), ['doSomething', 'other']);
  assert.deepEqual((await host.ask('doSomething', ['x'])).result, ['x', null]);
  assert.deepEqual((await host.ask('other', ['y'])).result, ['y', null]);
});

test('the commands of a program that serves them are read anew', async (t) => {
  const { host, root } = await serving(t, 'app.mjs', PROGRAMS['app.mjs']);
  writeFileSync(join(root, 'app.mjs'), PROGRAMS['app.mjs'].replace("'plain', (a, b) => a + b", "'plain', (a, b) => a * b"));
  assert.equal((await host.ask('$reload')).result.name, 'my-service');
  assert.equal((await host.ask('plain', [3, 4])).result, 12);
});

test('commands that cannot be read anew are refused, and callers within the process reach the former ones', async (t) => {
  const program = `import { Container } from '@akala/pm';
    const container = new Container('my-service');
    container.register('plain', (a, b) => a + b);
    container.register({ name: 'inside', config: { '': { inject: ['$container', 'params.0', 'params.1'] } } }, (own, a, b) => own.dispatch('plain', a, b));
    // and more
    await container.serve();`;
  const root = folder(t, { 'app.mjs': program });
  const host = new Host(t, { program: join(root, 'app.mjs') });
  await host.ready();
  assert.equal((await host.ask('inside', [3, 4])).result, 7);
  const broken = program.replace('a + b', 'a * b').replace('// and more', "container.register({ name: 'broken', config: { fs: { path: './nowhere.mjs' } } });");
  writeFileSync(join(root, 'app.mjs'), broken);
  assert.match((await host.ask('$reload')).error.message, /nowhere\.mjs/);
  assert.equal((await host.ask('inside', [3, 4])).result, 7);
  writeFileSync(join(root, 'app.mjs'), program.replace('a + b', 'a * b'));
  assert.equal((await host.ask('$reload')).result.name, 'my-service');
  assert.equal((await host.ask('inside', [3, 4])).result, 12);
});

test('serve() says what is wrong: no host, or a second container', async (t) => {
  const program = `const { Container } = require(${JSON.stringify(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../../Sources/node/client/index.cjs'))});
    new Container('lone').serve().catch((error) => console.log(error.statusCode, error.message, '|', error.hint));`;
  assert.match(spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' }).stdout, /^503 nobody could call lone: .* \| pm map NAME FILE --commandable/);
  const root = folder(t, { 'app.mjs': 'import { Container } from "@akala/pm"; await new Container("a").serve(); await new Container("b").serve();' });
  const host = new Host(t, { program: join(root, 'app.mjs') });
  await host.exited;
  assert.match(host.stderr, /this program serves a already/);
});

test('in this process, too, a command may be in a file', async (t) => {
  const root = folder(t, {
    ...FILES,
    'app.mjs': `export default (container) => { ${REGISTER} return container; }`,
  });
  const { default: fill } = await import(join(root, 'app.mjs'));
  const container = fill(new Container('local', { count: 7 }));
  assert.deepEqual(await container.dispatch('doSomething', 1), [1, 7]);
  container.register({ name: 'nowhere', config: { fs: { path: './nowhere.mjs' } } });
  await assert.rejects(container.dispatch('nowhere'), { code: 'ERR_MODULE_NOT_FOUND' });
  assert.throws(() => container.register('nothing'), TypeError);
});
