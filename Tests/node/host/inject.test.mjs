import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { compileInject } from '../../../Sources/node/host/commands/inject.mjs';
import { definition, folder, Host, hostOf } from '../support/host.mjs';

const PARAM = { params: ['a', { deep: { er: 1 }, list: [7, 8] }], options: { x: 2, later: { then: (resolve) => void resolve({ y: 3 }) } } };
const WORDS = { $state: { config: { port: 80 } }, options: 'shadowed' };

/** [inject list, what it resolves to] */
const CASES = [
  [['params.0', 'params.1.deep.er', 'params'], ['a', 1, PARAM.params]],
  [['params.5', 'params.0.no.such', 'options.none'], [undefined, undefined, undefined]],
  [['dummy', 'ignore', 'cwd', 'toString', '__proto__'], [null, null, null, null, null]],
  [[['params', '1', 'list', 1], ['options', 'x']], [8, 2]],
  [['$state.config.port', '$param'], [80, PARAM]],
  [[{ name: 'params.0', nested: { port: ['$state', 'config', 'port'] } }], [{ name: 'a', nested: { port: 80 } }]],
  [{ one: 'params.0', two: 'options.x' }, [{ one: 'a', two: 2 }]],
  [['options.later.y', { z: 'options.later' }], [3, { z: { y: 3 } }]],
  [[], []],
];

for (const [inject, expected] of CASES) {
  test(`inject ${JSON.stringify(inject)}`, async () => {
    const values = await compileInject(inject)({ param: PARAM, words: Object.assign(Object.create(null), WORDS) });
    const awaited = await Promise.all(values.map(async (value) => (value?.z ? { z: await value.z } : value)));
    assert.deepEqual(awaited, expected);
  });
}

test('an inject list without promises resolves without waiting', () => {
  assert.ok(Array.isArray(compileInject(['params.0'])({ param: PARAM, words: {} })));
});

test('an inject entry that is none is refused', () => {
  assert.throws(() => compileInject([5]), /must be a string, an array or an object, not 5/);
  assert.throws(() => compileInject([['a', {}]]), /a key path must hold strings, not \{\}/);
});

const SHOW = 'export default (...args) => args.map((value) => (value === undefined ? "undefined" : value));';

test('the list of the trigger wins over the general one, and without a list parameters come as they are', async (t) => {
  const files = {
    'commands.json': definition({
      general: { '': { inject: ['params.1'] }, cli: { inject: ['options'] } },
      own: { '': { inject: ['params.1'] }, jsonrpc: { inject: ['params.0', 'options.x'] } },
      noList: { '': { inject: ['params.0'] }, jsonrpc: { name: 'renamed' } },
      none: {},
    }),
  };
  for (const name of ['general', 'own', 'noList', 'none']) files[`${name}.mjs`] = SHOW;
  const host = await hostOf(t, files);
  assert.deepEqual((await host.ask('general', ['a', 'b'])).result, ['b']);
  assert.deepEqual((await host.ask('general', ['a'])).result, ['undefined']);
  assert.deepEqual((await host.ask('own', { params: ['a'], options: { x: 5 } })).result, ['a', 5]);
  assert.deepEqual((await host.ask('renamed', ['a', 'b'])).result, ['a']);
  assert.deepEqual((await host.ask('none', [1, [2], null])).result, [1, [2], null]);
});

test('commands are injected with state, container, configuration, command and the call as the caller made it', async (t) => {
  const files = {
    'commands.json': definition({
      set: {},
      words: { jsonrpc: { inject: ['$state.value', '$container.name', '$config.inject.0', '$command.name', 'config.port'] } },
      call: { '': { inject: ['$container', 'args', 'context.cwd', 'socket.constructor.name'] } },
    }),
    'set.mjs': 'export default function (value) { this.value = value; }',
    'words.mjs': SHOW,
    'call.mjs': 'export default async (container, ...rest) => [await container.dispatch("words"), ...rest];',
  };
  const host = await hostOf(t, files, { env: { PM_CONFIG: '{"port":8080}' } });
  await host.ask('set', ['shared']);
  assert.deepEqual((await host.ask('words')).result, ['shared', 'svc', '$state.value', 'words', 8080]);
  const structured = { params: [], args: ['x'], context: { cwd: '/tmp' }, socket: 'forged' };
  assert.deepEqual((await host.ask('call', structured)).result, [[], ['x'], '/tmp', 'Socket']);
});

test('a wrong inject list keeps its service from being ready, with the nearest word', async (t) => {
  const failing = async (inject) => {
    const files = { 'commands.json': definition({ bad: { '': { inject } }, good: {} }), 'bad.mjs': SHOW, 'good.mjs': SHOW };
    const host = new Host(t, { program: join(folder(t, files), 'commands.json') });
    assert.equal((await host.exited).code, 1);
    return host.stderr.split('\n')[0].replace('pm: cannot start svc: Error: command bad of svc: ', '');
  };
  assert.equal(await failing([5]), 'an inject entry must be a string, an array or an object, not 5');
  assert.equal(await failing(['param.0']), 'nothing is called "param" in "inject"; did you mean "params"?');
  assert.equal(await failing([{ port: 'optoins.port' }]), 'nothing is called "optoins" in "inject"; did you mean "options"?');
  assert.equal(await failing([['confg', 'port']]), 'nothing is called "confg" in "inject"; did you mean "config"?');
  assert.match(await failing(['$nothing']), /^nothing is called "\$nothing" in "inject"; there are \$command, \$config, /);
});

test('a word that only a caller may have is nothing, as before', async (t) => {
  const host = await hostOf(t, { 'commands.json': definition({ own: { '': { inject: ['user.name', 'tool', 'dummy'] } } }), 'own.mjs': SHOW });
  assert.deepEqual((await host.ask('own', { params: [], user: { name: 'Ada' }, tool: 1 })).result, ['Ada', 1, null]);
});
