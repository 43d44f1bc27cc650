import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { definition, folder, Host, hostOf } from '../support/host.mjs';

/** Runs a program that must not start; resolves with its exit code and stderr. */
async function failing(t, files, program = 'commands.json', options = {}) {
  const root = folder(t, files);
  const host = new Host(t, { program: join(root, program), ...options });
  const { code } = await host.exited;
  return { code, stderr: host.stderr.replaceAll(root, '') };
}

test('commands are ES modules or CommonJS, also compiled ones, and may await at the top level', async (t) => {
  const host = await hostOf(t, {
    'package.json': { type: 'commonjs' },
    'commands.json': {
      name: '@scope/mixed',
      commands: ['esm.mjs', 'cjs.cjs', 'compiled.js', 'nested.cjs', 'waits.mjs', 'sub/a b#1%.mjs'].map((path) => {
        return { name: path.split('.')[0], config: { fs: { path } } };
      }),
    },
    'esm.mjs': 'import { value } from "./value.mjs"; export default () => `esm ${value}`;',
    'value.mjs': 'export const value = 1;',
    'cjs.cjs': 'module.exports = () => "cjs";',
    'compiled.js': 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = () => "compiled";',
    'nested.cjs': 'module.exports = { default: () => "nested" };',
    'waits.mjs': 'const value = await new Promise((resolve) => setImmediate(resolve, "waited")); export default () => value;',
    'sub/a b#1%.mjs': 'export default () => "odd name";',
  });
  assert.equal(host.metadata.name, '@scope/mixed');
  const results = [];
  for (const { name } of host.metadata.commands) results.push((await host.ask(name)).result);
  assert.deepEqual(results, ['esm 1', 'cjs', 'compiled', 'nested', 'waited', 'odd name']);
});

test('a command file is read once, and its top-level code runs once, for calls at the same time', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ count: {} }),
    'count.mjs': 'globalThis.loads = (globalThis.loads ?? 0) + 1; export default () => globalThis.loads;',
  });
  const answers = await Promise.all([host.ask('count'), host.ask('count'), host.ask('count')]);
  assert.deepEqual(answers.map(({ result }) => result), [1, 1, 1]);
});

test('first calls start in the order they came, however long their files take to load', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ slow: {}, quick: {} }),
    'slow.mjs': 'await new Promise((resolve) => setTimeout(resolve, 50)); export default function () { this.slow = true; }',
    'quick.mjs': 'export default function () { return this.slow; }',
  });
  const [, quick] = await Promise.all([host.ask('slow'), host.ask('quick')]);
  assert.equal(quick.result, true);
});

test('commands whose files are missing, broken or no functions keep their service from being ready', async (t) => {
  const files = {
    'commands.json': definition({ gone: {}, needs: {}, syntax: {}, throws: {}, object: {}, pathless: { fs: {} }, fine: {} }),
    'needs.mjs': 'import "./absent.mjs"; export default () => 1;',
    'syntax.mjs': 'export default (',
    'throws.mjs': 'throw new RangeError("at load");',
    'object.mjs': 'export default { not: "a function" };',
    'fine.mjs': 'export default () => "fine";',
  };
  const { code, stderr } = await failing(t, files);
  assert.equal(code, 1);
  const lines = stderr.split('\n');
  assert.equal(lines[0], 'pm: cannot start svc: Error: command gone of svc: /gone.mjs: no such file');
  assert.match(stderr, /^Error: command needs of svc: Cannot find module '\/absent.mjs' imported from \/needs.mjs/m);
  assert.match(stderr, /^command syntax of svc: \/syntax.mjs:1: Unexpected end of input$/m);
  assert.match(stderr, /^RangeError: at load\n {4}at file:\/\/\/throws.mjs:1:7$/m);
  assert.match(stderr, /^Error: command object of svc: \/object.mjs exports no function by default$/m);
  // The frames are those of the program.
  assert.doesNotMatch(stderr, /node:internal|node\/host/);
});

test('a command without a file is no reason not to start: a middleware may run it', async (t) => {
  const host = await hostOf(t, { 'commands.json': definition({ pathless: { fs: {} } }) });
  assert.equal((await host.ask('pathless')).error.message, 'command pathless of svc has no "fs" path in its configuration');
});

test('a syntax error has its place, source and caret, in both module systems and in what a command imports', async (t) => {
  const place = async (files) => (await failing(t, { 'commands.json': definition({ go: { fs: { path: Object.keys(files)[0] } } }), ...files })).stderr.split('\n');
  assert.deepEqual((await place({ 'go.mjs': 'const a = 1;\nfoo bar\nexport default () => a;' })).slice(0, 5), [
    "pm: cannot start svc: command go of svc: /go.mjs:2: Unexpected identifier 'bar'", '/go.mjs:2', 'foo bar', '    ^^^', "SyntaxError: Unexpected identifier 'bar'",
  ]);
  assert.equal((await place({ 'go.cjs': 'module.exports = () => 1;\nfoo bar' }))[1], '/go.cjs:2');
  assert.equal((await place({ 'go.mjs': 'import "./sub/other.mjs"; export default () => 1;', 'sub/other.mjs': '\n\nlet let = 1;' }))[1], '/sub/other.mjs:3');
});

test('the stack of a command that fails is in the log, without frames of Node and of the host', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ go: {}, refuses: {} }),
    'go.mjs': 'export default async (x) => {\n  return x.foo.bar;\n};',
    'refuses.mjs': 'export default () => { throw Object.assign(new Error("not you"), { statusCode: 403 }); };',
  });
  assert.match((await host.ask('go', [{}])).error.message, /^Cannot read properties of undefined/);
  await host.says('pm: command go failed: TypeError: Cannot read properties of undefined');
  await host.says('go.mjs:2:16');
  assert.equal((await host.ask('refuses')).error.statusCode, 403);
  assert.doesNotMatch(host.stderr, /node:internal|service\.mjs|not you/);
});

test('commands of extended containers are added, but never over one that is there, and circles end', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ mine: {}, both: {} }, { extends: ['./base/commands.json', 'packaged/commands.json', './no.json'] }),
    'mine.mjs': 'export default () => "mine";',
    'both.mjs': 'export default () => "mine";',
    'base/commands.json': definition({ both: {}, base: {} }, { name: 'base', extends: ['../commands.json', 'further.json'] }),
    'base/further.json': definition({ further: { fs: { path: 'base.mjs' } } }),
    'base/both.mjs': 'export default () => "base";',
    'base/base.mjs': 'export default function () { this.shared = 1; return "base"; }',
    'node_modules/packaged/commands.json': definition({ packaged: {} }, { name: 'packaged' }),
    'node_modules/packaged/packaged.mjs': 'export default function () { return this.shared; }',
  });
  assert.deepEqual(host.metadata.commands.map(({ name }) => name), ['mine', 'both', 'base', 'further', 'packaged']);
  assert.equal((await host.ask('both')).result, 'mine');
  assert.equal((await host.ask('base')).result, 'base');
  assert.equal((await host.ask('packaged')).result, 1);
  await host.says('commands.json extends ./no.json: no such file');
});

test('built-in names and disabled commands of a definition are left out', async (t) => {
  const host = await hostOf(t, {
    'commands.json': definition({ $serve: {}, $attach: {}, $metadata: {}, off: { fs: { path: 'x', disabled: true } }, on: {} }), 'on.mjs': 'export default () => 1;',
  });
  assert.deepEqual(host.metadata.commands.map(({ name }) => name), ['on']);
});

test('a folder without commands.json is a container of the files in it', async (t) => {
  const root = folder(t, {
    'greet.mjs': 'export default function greet(name, $container, greeting = "hello") { return `${greeting} ${name} from ${$container.name}`; }',
    'all.mjs': 'export default (...all) => all;',
    'own.mjs': 'export default (a) => a; export const x = 1;',
    'own.json': { '': { inject: ['params.1'] }, cli: { usage: 'own <x>' } },
    'listed.cjs': 'module.exports = (state) => typeof state; module.exports.$inject = ["$state"];',
    'users/get.js': 'module.exports = (id) => `user ${id}`;',
    'users/deep/er.mjs': 'export default () => "deep";',
    'notes.json': { name: 'alone', config: { fs: { path: './own.mjs' } } },
    'helper.mjs': 'export const nothing = 1;',
    'README.md': 'text',
  });
  const host = new Host(t, { program: root });
  const { name, commands } = await host.ready();
  assert.equal(name, 'svc');
  assert.deepEqual(commands.map((command) => command.name), ['all', 'greet', 'listed', 'alone', 'own', 'users.deep.er', 'users.get']);
  assert.deepEqual(commands.find((command) => command.name === 'own').config.cli, { usage: 'own <x>' });
  assert.equal((await host.ask('greet', ['Ada'])).result, 'hello Ada from svc');
  assert.deepEqual((await host.ask('all', [1, 2])).result, [1, 2]);
  assert.equal((await host.ask('own', [1, 2])).result, 2);
  assert.equal((await host.ask('users.get', [4])).result, 'user 4');
  assert.equal((await host.ask('users.deep.er')).result, 'deep');
  assert.equal((await host.ask('alone', [9])).result, 9);
  assert.equal((await host.ask('listed')).result, 'object');
});

test('a folder with commands.json is that container', async (t) => {
  const root = folder(t, { 'commands.json': definition({ a: {} }), 'a.mjs': 'export default () => 1;', 'b.mjs': 'export default () => 1;' });
  const host = new Host(t, { program: root });
  assert.deepEqual((await host.ready()).commands.map(({ name }) => name), ['a']);
});

const FOREIGN = `
  class Container {
    constructor(name) { this.name = name; this.calls = []; }
    dispatch(command, ...params) { this.calls.push(params); return { command, params }; }
  }
  export const container = new Container('foreign');
  const hidden = { name: 'hidden', config: { jsonrpc: false } };
  export const metadata = { name: 'foreign', commands: [{ name: 'do', config: { cli: { usage: 'do' } } }, hidden] };
`;

test('a module that exports a container is served through its dispatch', async (t) => {
  const root = folder(t, { 'index.mjs': FOREIGN });
  const host = new Host(t, { program: join(root, 'index.mjs') });
  assert.deepEqual(await host.ready(), {
    name: 'foreign',
    commands: [{ name: 'do', config: { cli: { usage: 'do' } } }, { name: 'hidden', config: { jsonrpc: false } }],
    accepts: ['$/cancel', '$/pause', '$/resume', '$ping'],
  });
  assert.deepEqual((await host.ask('do', [1, 2])).result, { command: 'do', params: [1, 2] });
  assert.deepEqual((await host.ask('do', { params: [1], options: { x: 1 } })).result.params, [
    { params: [1], options: { x: 1 }, _trigger: 'jsonrpc' },
  ]);
  assert.equal((await host.ask('hidden')).error.code, -32601);
});

test('a module may export its commands as functions, as definitions, or a container that describes itself', async (t) => {
  const root = folder(t, {
    'functions.cjs': `exports.name = 'fns';
      exports.commands = { add: (a, b) => a + b, who: Object.assign((c) => c.name, { $inject: ['$container'] }) };`,
    'list.mjs': 'export const commands = [{ name: "echo", config: { fs: { path: "./echo.mjs" } } }];',
    'echo.mjs': 'export default (x) => x;',
    'self.mjs': `export default {
      name: 'self',
      async dispatch(name, ...params) { return name === '$metadata' ? { commands: [{ name: 'x' }] } : [name, params]; },
    };`,
  });
  const functions = new Host(t, { program: join(root, 'functions.cjs') });
  assert.equal((await functions.ready()).name, 'fns');
  assert.equal((await functions.ask('add', [1, 2])).result, 3);
  assert.equal((await functions.ask('who')).result, 'fns');
  const list = new Host(t, { program: join(root, 'list.mjs') });
  assert.equal((await list.ask('echo', ['x'])).result, 'x');
  const self = new Host(t, { program: join(root, 'self.mjs') });
  assert.deepEqual((await self.ask('x', [1])).result, ['x', [1]]);
});

test('a program that cannot be a container ends with code 1 and the reason', async (t) => {
  const files = {
    'broken.json': '{\n  "name": "x",\n  "commands": [,]\n}\n',
    'shape.json': { commands: {} },
    'nameless.json': { commands: [{}] },
    'array.json': '[]',
    'config.json': { commands: [{ name: 'x', config: 5 }] },
    'nothing.mjs': 'export const other = 1;',
    'needs.mjs': 'import { Container } from "@akala/commands"; export const container = new Container("x");',
    'odd.mjs': 'export const container = {};',
  };
  const reasons = {
    'broken.json': 'SyntaxError: /broken.json:3:16: unexpected ","',
    'shape.json': 'Error: /shape.json: "commands" must be an array',
    'nameless.json': 'Error: /nameless.json: "commands[0].name" must be a string',
    'array.json': 'Error: /array.json: must hold an object',
    'config.json': 'Error: /config.json: "config" of x must be an object',
    'nothing.mjs': 'Error: /nothing.mjs exports neither "container" nor "commands", and serves no container: nothing in it can be called',
    'needs.mjs': "Error: program svc: Cannot find package '@akala/commands' imported from /needs.mjs",
    'odd.mjs': 'Error: the container of svc has no function "dispatch"',
    'absent.json': 'Error: /absent.json: no such file',
  };
  for (const [program, reason] of Object.entries(reasons)) {
    const { code, stderr } = await failing(t, files, program);
    assert.ok(stderr.startsWith(`pm: cannot start svc: ${reason}\n`), stderr);
    assert.equal(code, 1);
  }
});

test('configuration that is not JSON, and no program at all, are refused', async (t) => {
  const config = await failing(t, { 'commands.json': definition({}) }, 'commands.json', { env: { PM_CONFIG: '{"a":}' } });
  assert.match(config.stderr, /^pm: cannot start svc: SyntaxError: PM_CONFIG:1:6: unexpected "}"\n/);
  assert.equal(config.code, 1);
  const host = new Host(t, {});
  assert.equal((await host.exited).code, 64);
  assert.equal(host.stderr, 'usage: main.mjs PROGRAM [ARG...]\n');
});

test('a stack names the lines of the sources of a command that has a source map', async (t) => {
  const broken = "export default () => { throw new Error('broken'); };\n";
  const host = await hostOf(t, {
    'commands.json': definition({ plain: {}, mapped: {} }),
    'plain.mjs': broken,
    'mapped.mjs': `${broken}//# sourceMappingURL=mapped.mjs.map\n`,
    // The first place of the file is line 11 of its source.
    'mapped.mjs.map': { version: 3, sources: ['src/mapped.ts'], names: [], mappings: 'AAUA' },
  });
  await host.ask('plain');
  await host.says('/plain.mjs:1:30');
  await host.ask('mapped');
  await host.says('/src/mapped.ts:11:1');
});
