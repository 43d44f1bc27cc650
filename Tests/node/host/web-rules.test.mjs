/** The rules of Tests/Fixtures/web, as the host of services decides them and as a real service answers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { joined, requestID } from '../../../Sources/node/host/gate/fields.mjs';
import { callProblem, MAX_LIST, OWN_PATHS, WebGate } from '../../../Sources/node/host/gate/web-gate.mjs';
import { definition, folder, Host } from '../support/host.mjs';
import { freePort } from '../support/net.mjs';

const { points, vectors, requestIDs, joined: lists } = JSON.parse(readFileSync(new URL('../../Fixtures/web/rules.json', import.meta.url), 'utf8'));
const ours = vectors.filter(({ point, only }) => (only ?? points[point].only ?? 'host') === 'host');
const PASSED = new Set([101, 200, 204]);

/** The head and body that a vector means. */
function request(vector) {
  const { pad, headers, list } = vector;
  const fields = [...headers];
  let { target, body = '' } = vector;
  if (pad?.of === 'target') target = target.padEnd(pad.to, 'a');
  if (pad?.of === 'head') fields.push(['X-1', 'a'.repeat(pad.to)]);
  for (let n = 1; pad?.of === 'fields' && fields.length < pad.to; n++) fields.push([`X-${n}`, 'a']);
  if (list !== undefined) {
    body = JSON.stringify(Array.from({ length: list }, (_, id) => ({ jsonrpc: '2.0', id, method: '$metadata' })));
  }
  if (!vector.raw && (body !== '' || vector.method === 'POST')) fields.push(['Content-Length', String(Buffer.byteLength(body))]);
  return { target, fields, body };
}

function decide(vector) {
  const { target, fields } = request(vector);
  const { url, options } = points[vector.point];
  const [, scheme, host] = /^(\w+):\/\/([^:/]+)/.exec(url);
  const head = { method: vector.method, target, version: vector.version, fields };
  const { refusal, path } = new WebGate({ host, isSecure: scheme === 'https', options }).check(head);
  if (refusal !== undefined) return refusal.status;
  if (vector.method === 'OPTIONS' && (path === '*' || OWN_PATHS.has(path))) return 204;
  return scheme === 'ws' ? 101 : callProblem(head, path)?.status ?? 200;
}

test('there are as many rules as were written down', () => {
  assert.ok(ours.length >= 200);
  assert.equal(MAX_LIST, 100);
});

test('the gate decides every vector that is about the head of a request', () => {
  for (const vector of ours) {
    // What the body says, a head that is longer than the parser takes, and the handshake of WebSockets are decided elsewhere.
    if (vector.body !== undefined && !vector.raw && vector.status !== 415) continue;
    if (vector.pad?.of === 'head' || (vector.point === 'websocket' && [400, 426].includes(vector.status) && vector.target === '/')) continue;
    const expected = PASSED.has(vector.status) ? [101, 200, 204] : [vector.status];
    assert.ok(expected.includes(decide(vector)), `${vector.what}: ${decide(vector)} and not ${vector.status}`);
  }
});

test('fields are joined, and the id of a request is kept or made, as every vector says', () => {
  for (const { headers, is } of lists) assert.deepEqual(joined(headers), is);
  for (const { headers, id } of requestIDs) assert.equal(requestID(headers, () => null), id, JSON.stringify(headers));
  assert.match(requestID([]), /^[0-9a-f]{32}$/);
});

/** What a service at a point answers to bytes: the status, and the body. */
function answer(port, bytes, secure) {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', ...secure };
    let text = '';
    const socket = secure ? tls.connect(options, () => socket.write(bytes)) : net.connect(options, () => socket.write(bytes));
    socket.setEncoding('latin1').on('data', (data) => {
      text += data;
      if (text.startsWith('HTTP/1.1 101')) socket.destroy();
    });
    socket.on('error', (error) => (text === '' ? reject(error) : undefined)).on('close', () => {
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
      const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n').slice(1);
      const fields = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
      resolve({ status: Number(status), fields, body: text.slice(text.indexOf('\r\n\r\n') + 4) });
    });
  });
}

/** A service with all points of the vectors, on ports of its own. */
async function serve(t) {
  const root = folder(t, { 'commands.json': definition({ echo: {} }), 'echo.mjs': 'export default (x) => x;' });
  const [key, cert] = [join(root, 'svc.key'), join(root, 'svc.crt')];
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=svc'];
  execFileSync('openssl', [...make, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const [ports, map] = [{}, {}];
  for (const [name, { url, options, only }] of Object.entries(points)) {
    if (only === 'gateway') continue;
    ports[name] = await freePort();
    const secure = options.ca === undefined ? {} : { key, cert, ca: cert };
    map[url.replace(/:\d+$/, `:${ports[name]}`)] = { ...options, ...secure };
  }
  const host = new Host(t, { program: join(root, 'commands.json'), env: { PM_CONNECT: JSON.stringify(map) } });
  await host.ready();
  const client = { key: readFileSync(key), cert: readFileSync(cert), ca: readFileSync(cert), checkServerIdentity: () => undefined };
  return { host, ports, client };
}

test('a service answers every vector with its status, and refusals with nothing but what they say', { timeout: 120_000 }, async (t) => {
  const { host, ports, client } = await serve(t);
  for (const vector of ours) {
    const { target, fields, body } = request(vector);
    const lines = [`${vector.method} ${target} HTTP/${vector.version}`, ...fields.map(([name, value]) => `${name}: ${value}`)];
    if (!fields.some(([name]) => name === 'Connection') && fields.length < 100) lines.push('Connection: close');
    const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
    const { status, fields: shown, body: said } = await answer(ports[vector.point], bytes, points[vector.point].options.ca && client);
    assert.ok([vector.status, ...(vector.wire ?? [])].includes(status), `${vector.what}: ${status} and not ${vector.status}`);
    for (const [name, value] of Object.entries(vector.answer ?? {})) assert.equal(shown[name] ?? null, value, `${vector.what}: ${name}`);
    if (status >= 400 && vector.method !== 'HEAD') {
      const { error, ...members } = parsed(said, vector.what);
      const names = error === undefined ? Object.keys(members) : Object.keys(error);
      assert.ok(names.every((name) => ['statusCode', 'code', 'message', 'hint', 'data'].includes(name)), said);
    }
  }
  assert.equal(host.process.exitCode, null);
  assert.equal((await host.ask('echo', ['alive'])).result, 'alive');
});

function parsed(text, what) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${what} is answered with ${JSON.stringify(text)}`, { cause: error });
  }
}
