/** The host of plugins, with this test as the daemon. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder, Host } from '../support/host.mjs';

const PLUGIN = fileURLToPath(new URL('../../../Sources/node/host/plugin/host.mjs', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../../Examples/plugins/', import.meta.url));

/** Starts the host of a plugin. */
function plugin(t, root, { module = 'index.mjs', form = 'own', options, serve = {} } = {}) {
  const env = { PM_NAME: 'pm-plugin-test', ...(options === undefined ? {} : { PM_CONFIG: JSON.stringify(options) }) };
  return new Host(t, { program: PLUGIN, args: [`${root}/package.json`, `${root}/${module}`, form], env, serve });
}

const write = (t, text, module = 'index.mjs') => folder(t, { 'package.json': { name: 'test' }, [module]: text });
const tell = (host, event) => host.write(`${JSON.stringify({ jsonrpc: '2.0', method: '$event', params: [event] })}\n`);
const commandsOf = ({ commands }) => commands.map(({ name }) => name).filter((name) => !name.startsWith('$'));

test('the example hello adds a command with its usage, and a check', async (t) => {
  const host = plugin(t, `${EXAMPLES}hello`, { options: { greeting: 'Hi' } });
  const { commands } = await host.ready();
  const [hello] = commands.filter(({ name }) => name === 'hello');
  assert.equal(hello.config.cli.usage, 'hello <who> [greeting]');
  assert.equal((await host.ask('hello', [{ who: 'Ada' }])).result, 'Hi Ada');
  assert.equal((await host.ask('hello', [{ who: 'Ada', loud: true, greeting: 'Hey' }])).result, 'HEY ADA');
  const check = async (path) => (await host.ask('$probe', [{ check: 'file', service: 'web', options: { path } }])).result;
  assert.deepEqual(await check(PLUGIN), { passed: true });
  const missing = await check('/none');
  assert.equal(missing.passed, false);
  assert.match(missing.seen, /ENOENT/);
  assert.deepEqual((await host.ask('$probe', [{ check: 'other' }])).result, { passed: false, seen: 'the plugin has not added the check other' });
});

test('the example webhook posts the events of its kinds in their order, tries again, and serves the last one', async (t) => {
  const bodies = [];
  let arrived;
  const both = new Promise((resolve) => (arrived = resolve));
  let refusals = 1;
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (refusals-- > 0) return response.writeHead(500).end();
    response.end();
    if (bodies.push(JSON.parse(text)) === 2) arrived();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const host = plugin(t, `${EXAMPLES}webhook`, { options: { url: `http://127.0.0.1:${server.address().port}/`, kinds: ['exit'] } });
  const { commands } = await host.ready();
  assert.deepEqual(commands.filter(({ config }) => config.http).map(({ config: { http } }) => `${http.method} ${http.route}`), ['get /webhook/last']);
  for (const service of ['a', 'b']) for (const kind of ['ready', 'exit']) tell(host, { kind, service });
  await both;
  assert.deepEqual(bodies.map(({ service }) => service), ['a', 'b']);
  assert.equal((await host.ask('route-1', [{}])).result.service, 'b');
});

test('an event that a plugin cannot handle is in its log, and the next one comes; of a flood the oldest are dropped', async (t) => {
  const root = write(t, `
    let count = 0;
    let go;
    export default function (pm) {
      const wait = new Promise((resolve) => (go = resolve));
      let last;
      const over = new Promise((resolve) => (last = resolve));
      pm.on('exit', async () => { await wait; if (++count === 1001) last(); if (count === 1) throw new Error('first'); });
      pm.command('go', {}, () => go());
      pm.command('count', {}, async () => { await over; return count; });
    }`);
  const host = plugin(t, root);
  await host.ready();
  for (let index = 0; index < 1500; index++) tell(host, { kind: 'exit', service: 'a' });
  await host.ask('go', []);
  assert.equal((await host.ask('count', [])).result, 1001);
  assert.match(host.stderr, /failed to handle the event exit of a: Error: first/);
  assert.match(host.stderr, /499 events were dropped/);
});

test('a plugin calls pm, and one that fails to load ends with the reason', async (t) => {
  const calling = write(t, `export default (pm) => pm.command('who', {}, async () => (await pm.call('version')).version);`);
  const host = plugin(t, calling, { serve: { version: () => ({ version: '1.2' }) } });
  await host.ready();
  assert.equal((await host.ask('who', [])).result, '1.2');
  const broken = plugin(t, write(t, 'export default 7;'));
  assert.equal((await broken.exited).code, 1);
  assert.match(broken.stderr, /exports no function by default/);
});

test('a plugin of the reference gets a program, and its commands become commands of pm', async (t) => {
  const root = write(t, `
    export default function (config, program) {
      program.command('greet <who> [title]', 'Greets').option('loud', { aliases: ['l'], default: false }).action(async ({ options }) => {
        const text = 'Hello ' + (options.title ?? '') + options.who;
        return options.loud ? text.toUpperCase() : text;
      });
      const db = program.command('db');
      db.preAction(async (context) => { context.state.seen = true; });
      db.command('migrate <target>').option('force').action(async ({ options, state }) => [options.target, options.force, state.seen, config.plugins]);
    }`);
  const host = plugin(t, root, { form: 'reference', options: { a: 1 } });
  assert.deepEqual(commandsOf(await host.ready()), ['greet', 'db']);
  assert.equal((await host.ask('greet', [{ who: 'Ada' }, { args: ['Ada'] }])).result, 'Hello Ada');
  assert.deepEqual((await host.ask('db', ['migrate', 'v2', '--force'])).result, ['v2', true, true, []]);
  assert.match((await host.ask('db', ['drop'])).error.message, /db has no command drop; it has migrate/);
});

test('a plugin of the reference that does more than to register commands is refused with the reason', async (t) => {
  const host = plugin(t, write(t, 'export default (config, program) => program.use(() => {});'), { form: 'reference' });
  assert.equal((await host.exited).code, 1);
  assert.match(host.stderr, /pm takes only commands from a plugin of the reference/);
});
