import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { connect, connectByPreference, Container, defaultOrders, sidecar } from '../../../Sources/node/client/index.mjs';
import { folder } from '../support/host.mjs';

const { daemonPlace } = createRequire(import.meta.url)('../../../Sources/node/client/location.cjs');

/**
 * A daemon of this test: answers with functions of the parameters, by method; `proxied` those of services, by name.
 * A function that returns undefined answers nothing.
 */
async function daemon(t, methods, proxied = {}) {
  const path = join(folder(t, {}), 'pm.sock');
  const seen = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    let [own, rest] = [methods, ''];
    sockets.add(socket);
    socket.on('error', () => {}).setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const message of lines.map((line) => JSON.parse(line))) {
        seen.push(message);
        const { id, method, params } = message;
        const answer = own[method]?.(params, socket, message);
        if (method === 'proxy' && proxied[params[0]] !== undefined) own = proxied[params[0]];
        if (answer !== undefined && id !== undefined) socket.write(`${JSON.stringify({ id, ...answer, jsonrpc: '2.0' })}\n`);
      }
    });
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { path, seen, sockets };
}

const metadata = (name, ...commands) => () => ({ result: { name, commands: commands.map((command) => ({ name: command, config: {} })) } });
const notFound = (message) => ({ error: { statusCode: 404, message } });
const pm = { connect: () => notFound('no point'), proxy: () => ({ error: null }), $metadata: metadata('pm', 'status') };

test('the order of preference is that of the documentation', () => {
  assert.deepEqual(defaultOrders, [
    'jsonrpc+unix+tls', 'jsonrpc+unix', 'jsonrpc+tcp+tls', 'jsonrpc+tcp', 'wss', 'ws', 'https', 'http',
  ]);
});

test('a service is connected when it is asked for, and once', async (t) => {
  const { path, seen } = await daemon(t, pm, { users: { $metadata: metadata('users', 'get'), get: ([id]) => ({ result: id }) } });
  const services = sidecar({ pmSock: path });
  assert.deepEqual(seen, []);
  const [one, two] = await Promise.all([services.users, services.users]);
  assert.equal(one, two);
  assert.equal(await one.dispatch('get', 42), 42);
  assert.equal(seen.filter(({ method }) => method === 'proxy').length, 1);
  assert.deepEqual([await services, typeof services.then, Object.keys(services)], [services, 'undefined', ['users']]);
});

test('each call of a service goes to pm by its name, so that pm picks the instance', async (t) => {
  let turn = 0;
  const own = {
    connect: () => notFound('no point'), $metadata: ([, name]) => metadata(name ?? 'pm', 'who')(),
    'users.who': () => ({ result: turn++ % 3 }), 'users.lines': (params, socket, { id }) => {
      socket.write(`{"id":"${id}","stream":true,"result":{}}\n{"id":"${id}","result":{"event":"data","data":1}}\n{"id":"${id}","result":{"event":"end"},"stream":true}\n`);
    },
  };
  const { path, seen } = await daemon(t, own);
  const container = await sidecar({ pmSock: path }).users;
  assert.equal(container.name, 'users');
  assert.deepEqual(container.commands.map(({ name }) => name), ['who']);
  assert.deepEqual((await Promise.all(Array.from({ length: 6 }, () => container.dispatch('who', 1)))).sort(), [0, 0, 1, 1, 2, 2]);
  const pieces = [];
  for await (const piece of await container.dispatch('lines')) pieces.push(piece);
  assert.deepEqual(pieces, [1]);
  await container.refresh();
  assert.deepEqual(seen.filter(({ method }) => method === 'proxy'), []);
  assert.equal(seen.filter(({ method, params }) => method === '$metadata' && params[1] === 'users').length, 2);
  container.close();
  assert.equal(await container.dispatch('who'), 0, 'the next call opens another connection');
});

test('a service that was started anew is reached in another way, if it has one, and what is under way goes on', async (t) => {
  let [tell, answer, map] = [];
  const direct = await daemon(t, { $metadata: metadata('users', 'who'), who: () => ({ result: 'directly' }) });
  const own = {
    connect: () => (map === undefined ? notFound('no point') : { result: map }), 'users.who': () => ({ result: 'through pm' }),
    'users.slow': (params, socket, { id }) => void (answer = () => socket.write(`{"id":"${id}","result":"late"}\n`)),
    $metadata: ([, name, watch], socket) => {
      if (watch) tell = () => socket.write('{"method":"$/metadata","params":["users"],"jsonrpc":"2.0"}\n');
      return metadata(name ?? 'pm', 'who')();
    },
  };
  const { path, sockets } = await daemon(t, own);
  const container = await sidecar({ pmSock: path }).users;
  const slow = container.dispatch('slow');
  assert.equal(await container.dispatch('who'), 'through pm');
  map = { [`jsonrpc+unix://${direct.path}`]: {} };
  tell();
  while (direct.seen.length === 0) await new Promise(setImmediate);
  assert.equal(await container.dispatch('who'), 'directly');
  answer();
  assert.equal(await slow, 'late');
  while ([...sockets].filter(({ destroyed }) => !destroyed).length > 1) await new Promise(setImmediate);
});

test('a connection that failed is tried anew', async (t) => {
  let isThere = false;
  const proxy = () => (isThere ? { error: null } : { error: { statusCode: 503, message: 'users does not run', hint: 'pm start users' } });
  const { path } = await daemon(t, { ...pm, proxy }, { users: { $metadata: metadata('users'), proxy } });
  const services = sidecar({ pmSock: path });
  await assert.rejects(services.users, { statusCode: 503, hint: 'pm start users' }).catch(() => {});
  isThere = true;
  assert.equal((await services.users).name, 'users');
});

test('calls that change nothing are made again when the connection ends, others are not', async (t) => {
  let deaths = 0;
  const die = (_, socket) => (deaths++ % 2 === 0 ? void socket.destroy() : { result: 'done' });
  const commands = [{ name: 'safe', config: { '': { idempotent: true } } }, { name: 'unsafe', config: {} }];
  const users = { $metadata: () => ({ result: { name: 'users', commands } }), safe: die, unsafe: die };
  const { path } = await daemon(t, pm, { users });
  const container = await sidecar({ pmSock: path }).users;
  assert.equal(await container.dispatch('safe'), 'done');
  await assert.rejects(container.dispatch('unsafe'), { statusCode: 503, code: 'PM_DISCONNECTED', retry: true });
  assert.equal(await container.dispatch('unsafe'), 'done');
});

test('a deadline and a signal give a call up, and the service is told', async (t) => {
  const { path, seen } = await daemon(t, pm, { users: { $metadata: metadata('users', 'wait'), wait: () => undefined } });
  const container = await sidecar({ pmSock: path }).users;
  await assert.rejects(container.with({ timeout: 30 }).dispatch('wait'), { statusCode: 504, code: 'PM_DEADLINE' });
  const controller = new AbortController();
  const call = container.with({ signal: controller.signal }).dispatch('wait');
  setImmediate(() => controller.abort(new Error('enough')));
  await assert.rejects(call, { message: 'enough' });
  await assert.rejects(container.with({ signal: controller.signal }).dispatch('wait'), { message: 'enough' });
  while (seen.filter(({ method }) => method === '$/cancel').length < 2) await new Promise(setImmediate);
  const calls = seen.filter(({ method }) => method === 'wait').map(({ id }) => [id]);
  assert.deepEqual(seen.filter(({ method }) => method === '$/cancel').map(({ params }) => params), calls);
});

test('other commands of a service are learned', async (t) => {
  let tell;
  const watching = (params, socket) => {
    if (params[2] === true) tell = () => socket.write('{"method":"$/metadata","params":["users"],"jsonrpc":"2.0"}\n');
    return metadata('pm')();
  };
  let names = ['get'];
  const { path } = await daemon(t, { ...pm, $metadata: watching }, { users: { $metadata: () => metadata('users', ...names)() } });
  const container = await sidecar({ pmSock: path }).users;
  while (tell === undefined) await new Promise(setImmediate);
  names = ['get', 'set'];
  tell();
  while (container.commands.length < 2) await new Promise(setImmediate);
  assert.deepEqual(container.commands.map(({ name }) => name), names);
});

test('connect tells the points and the commands, and its container can be called', async (t) => {
  const own = {
    ...pm, connect: ([name]) => ({ result: name === 'pm' ? {} : { 'jsonrpc+unix:///nowhere.sock': {} } }),
    $metadata: ([, name]) => metadata(name ?? 'pm', 'get')(), 'users.get': () => ({ result: 7 }),
  };
  const { path } = await daemon(t, own);
  const { connect: points, container } = await connect('users', { pmSock: path });
  assert.deepEqual(await points, { 'jsonrpc+unix:///nowhere.sock': {} });
  assert.deepEqual(container.metadata, { name: 'users', commands: [{ name: 'get', config: {} }] });
  // Its point does not answer: through the daemon.
  assert.equal(await container.dispatch('get'), 7);
});

test('connectByPreference takes the first point that answers, and registers commands where it is asked to', async (t) => {
  const { path } = await daemon(t, { $metadata: metadata('svc', 'get'), get: () => ({ result: 1 }) });
  const map = { 'http://127.0.0.1:1': {}, 'jsonrpc+tcp://127.0.0.1:1': {}, [`jsonrpc+unix://${path}`]: {} };
  const { container, processor } = await connectByPreference(map, {}, 'http', 'jsonrpc+tcp', 'jsonrpc+unix').catch((error) => ({ error }));
  // HTTP is not connected before it is used.
  assert.equal(container, undefined);
  assert.equal(processor, undefined);
  const local = new Container('local');
  const known = { name: 'svc', commands: [{ name: 'get', config: {} }] };
  const found = await connectByPreference(map, { container: local, metadata: known }, ...defaultOrders);
  assert.equal(found.container, local);
  assert.equal(await local.dispatch('get'), 1);
  await assert.rejects(connectByPreference(map, {}, 'wss'), { statusCode: 404, message: 'no matching connection preference was found' });
  found.processor.close();
});

test('commands of another container are registered, and attached as a trigger wants', async () => {
  const other = new Container('other').register('add', (a, b) => a + b).register({ name: 'hidden' }, () => 1);
  const local = new Container('local').registerMultiple(other, ({ name }) => name !== 'hidden');
  assert.equal(await local.dispatch('add', 1, 2), 3);
  await assert.rejects(local.dispatch('hidden'), { code: -32601 });
  assert.deepEqual(await local.dispatch('$metadata'), { name: 'local', commands: [{ name: 'add', config: {} }] });
  assert.equal(local.attach({ register: (container, place) => `${container.name} at ${place}` }, 'here'), 'local at here');
  assert.equal(local.attach((container) => container.name), 'local');
  assert.throws(() => local.attach('grpc'), /no trigger grpc/);
  assert.throws(() => local.registerMultiple({}), TypeError);
});

/** A router as express has them, in a few lines. */
function router() {
  const routes = [];
  const add = (method) => (path, handler) => routes.push({ method, pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`), handler });
  const serve = (message, response) => {
    const { pathname } = new URL(message.url, 'http://x');
    const found = routes.find(({ method, pattern }) => method === message.method && pattern.test(pathname));
    if (found === undefined) return response.writeHead(404).end();
    message.params = { ...found.pattern.exec(pathname).groups };
    return found.handler(message, response);
  };
  return { get: add('GET'), post: add('POST'), serve };
}

test('commands with an http configuration become routes', async (t) => {
  const container = new Container('api');
  const http = (method, route, inject, more = {}) => ({ http: { method, route, inject, ...more } });
  container.register({ name: 'greet', config: http('get', '/greet/{name}', ['route.name', 'query.loud']) }, (name, loud) => ({ name, loud }));
  container.register({ name: 'save', config: { '': { inject: ['params.1', 'params.0'] }, ...http('post', '/save', ['body', 'headers.x-b']) } }, (b, body) => [b, body]);
  container.register({ name: 'text', config: http('get', '/text', [], { type: 'text' }) }, () => 'plain');
  container.register({ name: 'nothing', config: http('get', '/nothing', []) }, () => {});
  container.register({ name: 'fail', config: http('get', '/fail', []) }, () => { throw Object.assign(new Error('no'), { statusCode: 418 }); });
  container.register({ name: 'unrouted', config: {} }, () => {});
  const routes = router();
  assert.deepEqual(container.attach('http', routes), ['GET /greet/:name', 'POST /save', 'GET /text', 'GET /nothing', 'GET /fail']);
  const server = createServer(routes.serve).listen(0);
  t.after(() => server.close());
  await once(server, 'listening');
  const ask = (path, options = {}, body) => new Promise((resolve) => {
    const message = request({ port: server.address().port, path, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => resolve([response.statusCode, text]));
    });
    message.end(body);
  });
  assert.deepEqual(await ask('/greet/Ada?loud=1'), [200, '{"name":"Ada","loud":"1"}']);
  const json = { method: 'POST', headers: { 'content-type': 'application/json', 'x-b': '5' } };
  assert.deepEqual(await ask('/save', json, '{"z":1}'), [200, '["5",{"z":1}]']);
  assert.equal((await ask('/save', json, '{'))[0], 400);
  assert.deepEqual(await ask('/text'), [200, 'plain']);
  assert.deepEqual(await ask('/nothing'), [204, '']);
  assert.deepEqual(await ask('/fail'), [418, '{"statusCode":418,"message":"no"}']);
});

test('the daemon is found as the command line finds it', (t) => {
  const root = folder(t, { 'project/.pm.config.json': {}, 'project/a/b/file': 'x', 'home/.config/pm/.pm.config.json': {} });
  const env = { HOME: join(root, 'home'), XDG_RUNTIME_DIR: join(root, 'run') };
  const at = (cwd, more) => daemonPlace({ cwd: join(root, cwd), env: { ...env, ...more } }).url;
  assert.equal(at('project/a/b'), `jsonrpc+unix://${root}/project/pm.sock`);
  assert.equal(at('home'), `jsonrpc+unix://${root}/run/pm/pm.sock`);
  assert.equal(at('project', { PM_SOCK: 'jsonrpc+unix:///of/the/service.sock' }), 'jsonrpc+unix:///of/the/service.sock');
  assert.equal(daemonPlace({ pmSock: '/a b/pm.sock' }).url, 'jsonrpc+unix:///a%20b/pm.sock');
  assert.equal(daemonPlace({ configFile: join(root, 'project'), env }).url, `jsonrpc+unix://${root}/project/pm.sock`);
  const deep = join(root, 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, '.pm.config.json'), '{}');
  assert.match(daemonPlace({ cwd: deep, env }).url, /\/run\/pm\/[0-9a-f]{16}\.sock$/);
});

test('nobody to talk to is an error with the next step', async (t) => {
  const root = folder(t, { '.pm.config.json': {} });
  const services = sidecar({ configFile: root });
  await assert.rejects(services.users, { statusCode: 503, hint: 'pm start pm' });
});

test('a trigger of @akala/server serves the commands of our containers, of this process and of a service', async (t) => {
  // What its http trigger does: the commands by keys and resolve, and for each request handle with structured parameters.
  const trigger = { name: 'http', register: (container, routes) => {
    for (const command of container.keys().map((key) => container.resolve(key)).filter(({ config }) => config?.http)) {
      routes.set(`${command.config.http.method} ${command.config.http.route}`, (request) => container.handle(container, command, {
        params: [], route: request.params, query: {}, _trigger: 'http', headers: {}, get body() { return Promise.resolve(request.body); },
      }).then((error) => ({ error: error.message }), (result) => ({ result })));
    }
    return routes;
  } };
  const config = { '': { inject: ['params.1', 'params.0'] }, http: { method: 'post', route: '/x/:id', inject: ['route.id', 'body.value'] } };
  const local = new Container('local');
  local.register({ name: 'swap', config }, (first, second) => [first, second]);
  local.register('plain', () => { throw new Error('never'); });
  const own = { ...pm, $metadata: ([, name]) => ({ result: name === undefined ? { name: 'pm', commands: [] } : { name, commands: [{ name: 'swap', config }] } }), 'api.swap': (params) => (params[1] === 'bad' ? { error: { message: 'no' } } : { result: params }) };
  const { path } = await daemon(t, own);
  const remote = await sidecar({ pmSock: path }).api;
  for (const container of [local, remote]) {
    const routes = container.attach(trigger, new Map());
    assert.deepEqual([...routes.keys()], ['post /x/:id']);
    assert.deepEqual(await routes.get('post /x/:id')({ params: { id: 7 }, body: { value: 'v' } }), { result: ['v', 7] });
  }
  assert.deepEqual(await remote.attach(trigger, new Map()).get('post /x/:id')({ params: { id: 'bad' }, body: {} }), { error: 'no' });
  assert.equal(local.resolve('nope'), null);
  local.unregister('swap');
  assert.deepEqual(local.keys(), ['plain']);
});

test('a daemon of the reference, which describes all services, tells the commands of one', async (t) => {
  const all = { name: 'pm', commands: ['status', 'users.get', 'users.set', 'usersx.get'].map((name) => ({ name, config: { '': {} } })) };
  const { path } = await daemon(t, { connect: () => ({ result: {} }), $metadata: () => ({ result: all }) });
  const { container } = await connect('users', { pmSock: path });
  assert.deepEqual(container.metadata, { name: 'users', commands: [{ name: 'get', config: { '': {} } }, { name: 'set', config: { '': {} } }] });
});
