/** What may import what in Sources/node: the client and its `wire` are a package that is complete by itself; the host uses `wire`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../support/host.mjs';

const NODE = fileURLToPath(new URL('../../../Sources/node/', import.meta.url));
const SOURCES = readdirSync(NODE, { recursive: true }).filter((name) => /\.[cm]js$/.test(name) && !name.includes('node_modules'));
const IMPORT = /(?:\bfrom|\bimport|\brequire(?:\([\w.]+\))?)\s*\(?\s*'([^'\s]+)'/g;

/** What a source imports: a path in Sources/node, or the name of a module. */
function importsOf(source) {
  const names = [...readFileSync(join(NODE, source), 'utf8').matchAll(IMPORT)].map(([, name]) => name);
  return names.map((name) => (name.startsWith('.') ? relative(NODE, resolve(NODE, dirname(source), name)) : name));
}

const isNodes = (name) => /^(node:)?[a-z_]+8?$/.test(name);

// What preload.cjs brings to a program that the host does not run is a client of pm.
const EXCEPTIONS = ['host/preload.cjs: client/sidecar.cjs'];

test('wire imports nothing but itself, the client nothing but wire, the host no more of the client than wire', () => {
  const allowed = (source) => (source.startsWith('client/wire/') ? /^client\/wire\// : source.startsWith('client/') ? /^client\// : /^(host|client\/wire)\//);
  const found = SOURCES.flatMap((source) => importsOf(source).filter((name) => !isNodes(name) && !allowed(source).test(name)).map((name) => `${source}: ${name}`));
  assert.ok(SOURCES.length > 40, 'the sources are found');
  assert.deepEqual(found.filter((one) => !EXCEPTIONS.includes(one)), []);
});

test('the folder of the client can be copied, or installed, and is complete', (t) => {
  const root = folder(t, { 'app/package.json': { name: 'app' } });
  const { files } = JSON.parse(readFileSync(join(NODE, 'client/package.json'), 'utf8'));
  const parts = readdirSync(join(NODE, 'client')).filter((name) => {
    return name === 'package.json' || files.some((pattern) => (pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern));
  });
  for (const part of parts) cpSync(join(NODE, 'client', part), join(root, 'app/node_modules/@akala/pm', part), { recursive: true });
  const uses = `
    const modules = require('node:fs').readdirSync('node_modules/@akala/pm', { recursive: true }).filter((name) => name.endsWith('.cjs'));
    for (const name of modules) require(require('node:path').resolve('node_modules/@akala/pm', name));
    import('@akala/pm').then(({ sidecar }) => console.log(modules.length > 10, sidecar === require('@akala/pm').sidecar));
  `;
  assert.equal(execFileSync(process.execPath, ['-e', uses], { cwd: join(root, 'app'), encoding: 'utf8' }), 'true true\n');
});
