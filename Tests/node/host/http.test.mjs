/** Heads of requests and of answers at a service's own connection point. */
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { definition, folder, Host } from '../support/host.mjs';
import { freePort } from '../support/net.mjs';

const COMMANDS = {
  text: { http: { method: 'get', route: '/text', inject: [], type: 'text' } },
  save: { http: { method: 'post', route: '/text' } },
  any: { http: { route: '/any', inject: [] } },
  fields: { http: { method: 'get', route: '/fields', inject: ['headers', 'headers.X-A'] } },
  forever: { http: { method: 'get', route: '/forever', inject: [] } },
  ended: { http: { method: 'get', route: '/ended', inject: [] } },
  fail: { http: { method: 'get', route: '/fail', inject: [] } },
};
const SOURCES = {
  text: '() => "plain é"', save: '(x) => x', any: '() => "any"', fields: '(...all) => all',
  forever: 'async function* () { try { for (let n = 0; ; n++) { yield n; await new Promise(setImmediate); } } finally { globalThis.ended(); } }',
  ended: '() => globalThis.whenEnded', fail: '() => { throw Object.assign(new Error("no"), { statusCode: 503 }); }',
};
const BEGINNING = 'globalThis.whenEnded = new Promise((resolve) => { globalThis.ended = () => resolve("ended"); });\n';

async function serving(t) {
  const files = { 'commands.json': definition(COMMANDS) };
  for (const [name, source] of Object.entries(SOURCES)) files[`${name}.mjs`] = `${name === 'text' ? BEGINNING : ''}export default ${source};`;
  const root = folder(t, files);
  const port = await freePort();
  const map = { [`http://127.0.0.1:${port}`]: { origins: ['https://app.example'] } };
  const host = new Host(t, { program: `${root}/commands.json`, env: { PM_CONNECT: JSON.stringify(map) } });
  await host.ready();
  return { host, ask: (first, fields, body) => exchange(port, first, fields, body) };
}

/** Sends one request, and reads until the connection ends. */
function exchange(port, first, fields = ['Host: localhost'], body = '') {
  return new Promise((resolve, reject) => {
    let text = '';
    const lines = [first, 'Connection: close', 'X-Request-Id: r-1', ...fields];
    const socket = net.connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`));
    socket.setEncoding('utf8').on('data', (data) => { text += data; }).on('error', reject).on('close', () => {
      const end = text.indexOf('\r\n\r\n');
      const head = text.slice(0, end).split('\r\n').filter((line) => !line.startsWith('Date: '));
      resolve({ head, status: Number(head[0].split(' ')[1]), body: text.slice(end + 4) });
    });
  });
}

test('HEAD has the head of GET and no body, and ends a stream', { timeout: 20_000 }, async (t) => {
  const { ask } = await serving(t);
  for (const path of ['/text', '/$metadata', '/fail', '/none', '/fields']) {
    const [get, head] = [await ask(`GET ${path} HTTP/1.1`), await ask(`HEAD ${path} HTTP/1.1`)];
    assert.deepEqual(head.head, get.head, path);
    assert.equal(head.body, '', path);
    assert.ok(head.head.includes(`Content-Length: ${Buffer.byteLength(get.body)}`), path);
  }
  assert.equal((await ask('HEAD /rpc HTTP/1.1')).status, 405);
  const stream = await ask('HEAD /forever HTTP/1.1');
  assert.deepEqual([stream.status, stream.body], [200, '']);
  assert.equal((await ask('GET /ended HTTP/1.1')).body, '"ended"');
});

test('HTTP/1.0 needs no Host', async (t) => {
  const { ask } = await serving(t);
  assert.equal((await ask('GET /text HTTP/1.0', [])).body, 'plain é');
});

test('OPTIONS tells the methods of a path, and a preflight is answered for the command', async (t) => {
  const { ask } = await serving(t);
  const allow = await ask('OPTIONS /text HTTP/1.1');
  assert.equal(allow.status, 204);
  assert.ok(allow.head.includes('Allow: GET, HEAD, OPTIONS, POST'));
  assert.ok((await ask('DELETE /text HTTP/1.1')).head.includes('Allow: GET, HEAD, OPTIONS, POST'));
  // A command that is for every method answers OPTIONS itself, but no preflight.
  assert.equal((await ask('OPTIONS /any HTTP/1.1')).body, '"any"');
  const page = ['Host: localhost', 'Origin: https://app.example', 'Access-Control-Request-Method: PUT'];
  const preflight = await ask('OPTIONS /any HTTP/1.1', page);
  assert.equal(preflight.status, 204);
  assert.ok(preflight.head.includes('Access-Control-Allow-Methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT'));
  const failed = await ask('GET /fail HTTP/1.1', page.slice(0, 2));
  assert.equal(failed.status, 503);
  assert.ok(failed.head.includes('Access-Control-Allow-Origin: https://app.example'));
});

test('a command gets repeated fields as one and the id of its request, and the log of a fault has the id', { timeout: 20_000 }, async (t) => {
  const { ask, host } = await serving(t);
  const fields = ['Host: localhost', 'X-A: 1', 'x-a: 2', 'Cookie: a=1', 'Cookie: b=2', 'User-Agent: a', 'User-Agent: b'];
  const [all, one] = JSON.parse((await ask('GET /fields HTTP/1.1', fields)).body);
  assert.equal(one, '1, 2');
  assert.deepEqual([all['x-a'], all.cookie, all['user-agent'], all['x-request-id']], ['1, 2', 'a=1; b=2', 'a, b', 'r-1']);
  // Two ids are none: the request gets one of its own, which its command and its answer have.
  const made = await ask('GET /fields HTTP/1.1', ['Host: localhost', 'X-Request-Id: r-2']);
  const id = JSON.parse(made.body)[0]['x-request-id'];
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.ok(made.head.includes(`X-Request-Id: ${id}`));
  assert.ok((await ask('GET /fail?secret HTTP/1.1')).head.includes('X-Request-Id: r-1'));
  await host.says('GET /fail was answered with 503 (request r-1)');
});

test('the error of a message that cannot be read has the id null', async (t) => {
  const { ask } = await serving(t);
  const post = async (body) => {
    const answer = await ask('POST /rpc HTTP/1.1', ['Host: localhost', 'Content-Type: application/json', `Content-Length: ${body.length}`], body);
    const { id, error } = JSON.parse(answer.body);
    return [answer.status, id, error.code];
  };
  assert.deepEqual(await post('{'), [400, null, -32700]);
  assert.deepEqual(await post('[]'), [400, null, -32600]);
  assert.deepEqual(await post('{"id":7,"method":"text"}'), [400, 7, -32600]);
  assert.deepEqual(await post('{"jsonrpc":"2.0","id":{},"method":7}'), [400, null, -32600]);
});
