/** Routes of commands at a service's own connection point, as pm-gateway serves them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import test from 'node:test';
import { definition, folder, Host } from '../support/host.mjs';
import { freePort, upgraded } from '../support/net.mjs';

const COMMANDS = {
  greet: { http: { method: 'get', route: '/hello/{name}', inject: ['route.name', 'query.loud'] } },
  save: { '': { inject: ['params.1', 'params.0'] }, http: { method: 'post', route: '/save', inject: ['body.deep.0', 'headers.X-B'] } },
  raw: { http: { method: 'put', route: '/raw', inject: ['rawBody'], type: 'raw', contentType: 'image/png' } },
  any: { http: { route: '/any/{x}' } },
  fixed: { http: { route: '/any/fixed', inject: [] } },
  text: { http: { method: 'get', route: '/text', inject: [], type: 'text' } },
  lines: { http: { method: 'get', route: '/lines', inject: [] } },
  fail: { http: { method: 'get', route: '/fail', inject: [] } },
  nothing: { http: { method: 'get', route: '/nothing', inject: [] } },
  hidden: { jsonrpc: false, http: { method: 'get', route: '/hidden', inject: [] } },
  members: { http: { method: 'post', route: '/members', inject: [{ id: 'body.id', from: ['query', 'a.b'] }, 'body.__proto__', '$state', 'body.constructor'] } },
};
const SOURCES = {
  greet: '(name, loud) => ({ name, loud })', save: '(b, a) => [a, b]', raw: '(bytes) => Buffer.concat([bytes, Buffer.from([0, 255])])',
  any: '(...all) => all', fixed: '() => "fixed"', text: '() => "plain é"', lines: 'async function* () { yield { n: 1 }; yield "two"; }',
  fail: '() => { throw Object.assign(new Error("no"), { statusCode: 418, code: "TEAPOT", secret: 1 }); }', nothing: '() => {}', hidden: '() => 1',
  members: '(...all) => all',
};

async function serving(t) {
  const files = { 'commands.json': definition(COMMANDS) };
  for (const [name, source] of Object.entries(SOURCES)) files[`${name}.mjs`] = `export default ${source};`;
  const root = folder(t, files);
  const port = await freePort();
  const host = new Host(t, { program: `${root}/commands.json`, env: { PM_CONNECT: JSON.stringify({ [`http://127.0.0.1:${port}`]: {}, [`ws://127.0.0.1:${port}`]: {} }) } });
  await host.ready();
  const ask = (method, path, { body, ...headers } = {}) => new Promise((resolve, reject) => {
    const message = request({ port, method, path, headers }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece)).on('end', () => {
        resolve([response.statusCode, Buffer.concat(pieces).toString('latin1'), response.headers['content-type']]);
      });
    });
    message.on('error', reject).end(body);
  });
  return { host, port, ask };
}

test('commands with an http configuration are served at their routes', async (t) => {
  const { ask, host } = await serving(t);
  assert.deepEqual(await ask('GET', '/hello/Ada%20L?loud=1'), [200, '{"name":"Ada L","loud":"1"}', 'application/json']);
  assert.deepEqual(await ask('GET', '/hello/bob'), [200, '{"name":"bob","loud":null}', 'application/json']);
  const json = { 'content-type': 'application/json', 'x-b': '5' };
  assert.deepEqual(await ask('POST', '/save', { ...json, body: '{"deep":["first"]}' }), [200, '["5","first"]', 'application/json']);
  assert.deepEqual(await ask('PUT', '/raw', { 'content-type': 'image/png', body: Buffer.from([1, 2]) }), [200, '\x01\x02\x00\xff', 'image/png']);
  assert.deepEqual(await ask('PATCH', '/any/7', { 'content-type': 'application/x-www-form-urlencoded', body: 'a=1&b=x+y' }), [200, '["7",{"a":"1","b":"x y"}]', 'application/json']);
  assert.deepEqual(await ask('GET', '/any/fixed'), [200, '"fixed"', 'application/json']);
  assert.deepEqual(await ask('GET', '/text'), [200, Buffer.from('plain é').toString('latin1'), 'text/plain; charset=utf-8']);
  assert.deepEqual(await ask('GET', '/lines'), [200, '{"n":1}\n"two"\n', 'application/x-ndjson']);
  assert.deepEqual(await ask('GET', '/nothing'), [204, '', undefined]);
  const members = await ask('POST', '/members?a.b=q', { ...json, body: '{"id":4,"__proto__":{"x":1}}' });
  assert.deepEqual(JSON.parse(members[1]), [{ id: 4, from: 'q' }, { x: 1 }, null, null]);
  assert.equal((await host.ask('greet', ['still'])).result.name, 'still');
});

test('a request that a route does not take gets its error, and nothing is executed', async (t) => {
  const { ask } = await serving(t);
  assert.deepEqual(await ask('GET', '/fail'), [418, '{"statusCode":418,"code":"TEAPOT","message":"no"}', 'application/json']);
  assert.equal((await ask('POST', '/hello/bob'))[0], 405);
  assert.equal((await ask('GET', '/hidden'))[0], 404);
  assert.equal((await ask('GET', '/hello'))[0], 404);
  const json = { 'content-type': 'application/json' };
  assert.equal((await ask('POST', '/save', { ...json, body: '{' }))[0], 400);
  assert.equal((await ask('POST', '/save', { ...json, body: '['.repeat(2000) + ']'.repeat(2000) }))[0], 400);
  assert.equal((await ask('POST', '/save', { ...json, body: Buffer.alloc(5 << 20, '1') }))[0], 413);
  assert.equal((await ask('GET', '/hello/bob', { origin: 'http://evil.example' }))[0], 403);
  assert.equal((await ask('GET', '/hello/bob', { host: 'evil.example' }))[0], 403);
  assert.equal((await ask('GET', '/$metadata'))[0], 200);
  assert.equal((await ask('GET', '/rpc'))[0], 405);
});

test('messages of a WebSocket end with a newline, for which clients of the reference wait', async (t) => {
  const { port } = await serving(t);
  const socket = await upgraded(port);
  const text = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"text"}');
  // With a mask of zeros.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  const [frame] = await once(socket, 'data');
  assert.equal(frame.subarray(2).toString('utf8'), '{"id":1,"result":"plain é","jsonrpc":"2.0"}\n');
  socket.destroy();
});
