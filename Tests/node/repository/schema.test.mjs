import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { isValid } from '../support/schema.mjs';

const ROOT = process.env.PM_TEST_ROOT ?? fileURLToPath(new URL('../../../', import.meta.url));
const PM = `${process.env.PM_TEST_STAGE ?? join(ROOT, '.build/stage')}/bin/pm`;
const schema = () => JSON.parse(execFileSync(PM, ['check', '--schema'], { encoding: 'utf8' }));

/** True when pm accepts a document. */
function accepts(folder, document) {
  const file = join(folder, 'c.json');
  writeFileSync(file, JSON.stringify(document));
  const { status, stdout, stderr } = spawnSync(PM, ['check', file, '-o', 'json'], { encoding: 'utf8' });
  assert.ok(status === 0 || status === 65, `pm check: ${status} ${stdout} ${stderr}`);
  return status === 0;
}

const container = (members) => ({ containers: { a: { path: 'a.js', ...members } } });
const mapping = (members) => ({ containers: { a: { path: 'a.js' } }, mapping: { a: members } });
const BOOLS = [true, null, 'yes', 1];
const TEXTS = ['x', null, '', 7];
const LISTS = [['x'], [], null, [''], [1], 'x'];
const DURATIONS = ['10s', '1.5m', '250', 500, 0, null, 'soon', '1.5', -1, '10 s', true];

/** Values of each key of a mapping, good and bad. */
const MAPPING = {
  container: TEXTS, cwd: TEXTS, cli: [['--port', 80, true], [], null, [null], [[]], 'x'], config: [{ a: 1 }, null, 7],
  env: [{ A: 'x', B: 1, C: true, D: null }, {}, null, { 'A=B': 'x' }, { '': 'x' }, { A: [] }, [],
    ...['file:/a', 'file:a', 'file:///a', 'credential:a', 'file:', 'file://a', 'credential:', 'credential:a/b', 'credential:..', 'x', '', null, 7].map(
      (secret) => ({ A: { secret } })), { A: {} }, { A: '${NO_SUCH:-x}' }], envFiles: LISTS, autostart: BOOLS,
  connect: [{ 'jsonrpc+tcp://127.0.0.1:1': {} }, { u: null }, null, { u: 1 }, []], instances: [1, 256, null, 0, 257, '2', '${NO_SUCH:-2}'], pool: TEXTS,
  isolated: BOOLS, heartbeat: DURATIONS, drain: DURATIONS, callTimeout: ['5s', 'later'], logs: ['journal', 'both', null, 'syslog'],
  restart: [
    'always', 'on-failure', null, 'sometimes', {}, { policy: 'never', delay: '1s', maxDelay: '2s', limit: 48 }, { policy: null }, { limit: 49 },
    { delay: null }, { window: 'x' }, [],
  ],
  stop: [
    { signal: 'SIGINT', wait: '5s' }, [{ signal: 15 }, { signal: 'term' }], {}, [], null, 'SIGINT', { signal: 'SIGNOPE' }, { signal: 0 },
    { signal: 33 }, { signal: 'SIGRTMIN+1' }, { signal: '64' }, { wait: null }, [7],
  ],
  ready: [
    'rpc', 'notify', null, 'later', {}, { check: 'ipc', deadline: '1s' }, { deadline: 0 }, { fd: 3 }, { fd: 1 }, { tcp: 80 }, { tcp: '[::1]:80' },
    { tcp: '127.0.0.1:65535' }, { tcp: 0 }, { tcp: '65536' }, { tcp: 'example:80' }, { http: 'http://127.0.0.1:3000/health' }, { http: 'https://x' },
    { http: 'http://localhost' }, { exec: ['true', 1] }, { exec: [] }, { exec: [''] }, { exec: 'true' }, { log: 'up' }, { log: '' }, { probe: 'redis', deadline: '5s' },
    { probe: { name: 'redis', options: { port: 1 } } }, { probe: { options: 1 } }, { probe: 'No!' }, { probe: 7 }, { probe: 'a', tcp: 1 }, { fd: 4, tcp: 80 },
  ],
  live: [
    'rpc', 'none', null, 'ipc', {}, { tcp: 1, interval: '5s', timeout: 5, retries: 3, startPeriod: 0, action: 'stop' }, { tcp: 1, retries: 0 },
    { check: 'rpc' }, { noOutputFor: '1m' }, { noOutputFor: '1m', interval: '1s' }, { noOutputFor: 0 }, { tcp: 1, http: 'http://127.0.0.1' },
    { exec: ['x'], action: 'kill' }, { probe: 'redis', interval: '5s' }, { probe: null },
  ],
  dependencies: [['b'], [{ name: 'b', onStop: 'stop' }], [{ name: 'b', onStop: null }], null, [{ onStop: 'stop' }], [{ name: '' }], [1], 'b'],
  limits: [
    { memory: '512M', memoryHigh: '448MiB', cpu: '150%', pids: 200, nofile: 8192, nice: -5, oomScoreAdjust: 5 }, { memory: null }, {}, null,
    { memory: 1 << 20 }, { memory: 1000 }, { memory: 'much' }, { cpu: 0.5 }, { cpu: 0 }, { cpu: 'half' }, { cpu: 2000 }, { pids: 0 }, { nofile: 23 },
    { nice: 20 }, { oomScoreAdjust: 1001 }, { io: 50 }, { io: 0 }, { io: { weight: 50, '/data': { write: '20MB', readOps: 1 } } }, { io: { disk: {} } },
    { io: { '/data': { read: 0 } } }, 7,
  ],
  user: ['www-data', 33, '33', null, '', -1, 'a b', '007', '+1', '12x'], group: ['adm', null, ':'], umask: ['0027', '7', null, '888', '1777', 27],
  sandbox: [
    'strict', null, 'tight', {}, { preset: 'basic', writable: ['/x'] }, { writable: ['/x'] }, { writable: [] }, { preset: 'none', writable: ['/x'] },
    { preset: 'strict', systemCalls: 'all' }, { preset: null }, [],
  ],
  listen: [
    8080, '0.0.0.0:80', '[::]:80', './a.sock', ['localhost:1', { address: 2, type: 'datagram', name: 'x', backlog: 5, mode: '0600' }], [], null, 0,
    '65536', 'web:80', { type: 'stream' }, { address: 1, backlog: 0 }, { address: 1, name: 'a:b' }, [1, 1], true,
  ],
  routes: [['/login', 'POST /login', '/users/{id}', '/files/*', '/*', '/'], [], null, ['login'], ['post /x'], ['/a*'], ['/*/a'], [7], '/x'],
};

const CONTAINER = { path: ['x', '', null, 7], type: ['worker', null, 'java', 'Java!'], commandable: BOOLS, stateless: BOOLS, dependencies: LISTS };

function documents() {
  const named = (name) => ({ containers: { [name]: { path: 'x' } } });
  return [
    ...Object.entries(MAPPING).flatMap(([key, values]) => values.map((value) => mapping({ [key]: value }))),
    ...Object.entries(CONTAINER).flatMap(([key, values]) => values.map((value) => container({ [key]: value }))),
    ...['web', '@scope/cache', '', '.', '../x', 'a//b', 'a/', 'a..b', 'a\nb', 'web#2', 'web#1', 'pm-gateway', 'pm-pool-x', 'pm-plugin-x'].map(named),
    ...[{}, [], 7, 'x', { containers: [] }, { containers: null, mapping: null, plugins: null, setup: null }, { containers: { a: {} } },
      { containers: { a: null } }, { containers: { pm: {} } }, { mapping: { a: null } }, { mapping: { a: [] } }, { mapping: { pm: {} } },
      { plugins: ['./p.js'] }, { plugins: 'p' }, { plugins: [{ name: 'p', options: { a: 1 } }] }, { plugins: [{ options: {} }] }, { plugins: [7] },
      { plugins: ['p'], ...container({ type: 'java' }) }, { plugins: [], ...container({ type: 'java' }) }, { plugins: ['p'], ...container({ type: 'Java!' }) }, { setup: { packages: ['@a/b'] } }, { setup: { packages: [1] } }, { setup: 7 },
      ...[{}, [], null, { p: {} }, { p: null }, { p: 7 }, { '': {} }, { p: { mapping: [] } }, { p: { mapping: { a: { restart: 'sometimes' } } } },
        { p: { mapping: { a: { restart: { delay: null }, env: null } }, containers: { a: null }, setup: null, plugins: null } },
        { p: { containers: { a: { type: 'java' } } } }].map((profiles) => ({ ...container({}), profiles })),
      { $schema: 'x' }, { $schema: 7 }, { other: 7 }, mapping({ unknown: 7 })],
  ];
}

test('the schema and the reader accept and refuse the same documents', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pm-schema-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const all = documents();
  const rules = schema();
  const verdicts = all.map((document) => accepts(folder, document));
  const unlike = all.filter((document, index) => isValid(rules, document) !== verdicts[index]);
  assert.deepEqual(unlike.map((document) => JSON.stringify(document)), []);
  const good = verdicts.filter(Boolean).length;
  assert.ok(all.length >= 200 && good > 80 && all.length - good > 80, `${good} of ${all.length} are good`);
});

test('each example of the documentation and each fixture is valid', () => {
  const rules = schema();
  const page = readFileSync(join(ROOT, 'Docs/Configuration.md'), 'utf8');
  const examples = [...page.matchAll(/^```json\n(.*?)^```/gms)].map((match) => match[1]);
  const fixtures = join(ROOT, 'Tests/Fixtures/configs');
  const files = readdirSync(fixtures).map((name) => readFileSync(join(fixtures, name), 'utf8'));
  assert.ok(examples.length >= 10 && files.length >= 10);
  for (const text of [...examples, ...files]) assert.ok(isValid(rules, JSON.parse(text)), text);
});
