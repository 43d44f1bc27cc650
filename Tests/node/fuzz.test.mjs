import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { Container } from '../../Sources/node/host/commands/container.mjs';
import { readDefinition, registerAll } from '../../Sources/node/host/load/definition.mjs';

const CORPUS = new URL('../fuzz/corpus/commands/', import.meta.url);
const MUTATIONS = 3000;
const TOKENS = ['{', '}', '[', ']', '"', ',', ':', '\\', 'null', '1', '"name"', '"commands"', '"config"', '"fs"', '"path"',
  '"extends"', '"__proto__"', '"jsonrpc"', '"inject"', '"file://"', '%', '#', '\n', '\u00e9', '\0'];

const corpus = readdirSync(CORPUS).sort().map((name) => readFileSync(new URL(name, CORPUS)));

/** The same numbers in each run (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

/** One input of the corpus with one to four changes. */
function mutated(below) {
  let bytes = [...corpus[below(corpus.length)]];
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const other = corpus[below(corpus.length)];
    const insertion = [[below(256)], [...Buffer.from(TOKENS[below(TOKENS.length)])], [], [...other.subarray(below(other.length))]];
    bytes.splice(at, below(6), ...insertion[below(4)]);
  }
  return Buffer.from(bytes);
}

/** A file that holds one input after the other. */
function file(t) {
  const folder = mkdtempSync(join(tmpdir(), 'pm-fuzz-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'commands.json');
}

/** What must hold: a definition is taken, or refused in words that name the file. */
function check(bytes, path) {
  writeFileSync(path, bytes);
  const container = new Container('fuzzed', {});
  let definition;
  try {
    definition = readDefinition(pathToFileURL(path));
    registerAll(container, definition, pathToFileURL(path));
  } catch (error) {
    assert.ok(error.message.startsWith(`${path}:`), error.stack);
    assert.ok(error.constructor === Error || error.constructor === SyntaxError, error.stack);
    return;
  }
  const { commands } = JSON.parse(JSON.stringify(container.metadata));
  const names = commands.map((command) => command.name);
  assert.ok(names.every((name) => definition.commands.some((command) => command.name === name)));
  assert.equal(new Set(names).size, names.length);
}

/** Runs the check; a failure shows its input. */
function run(bytes, path) {
  try {
    check(bytes, path);
  } catch (error) {
    throw new Error(`on ${JSON.stringify(bytes.toString())}`, { cause: error });
  }
}

test('every commands.json of the corpus is read or refused in words', (t) => {
  const path = file(t);
  for (const bytes of corpus) run(bytes, path);
});

test('so is every mutation of one', (t) => {
  const path = file(t);
  const below = randomNumbers(1);
  for (let i = 0; i < MUTATIONS; i++) run(mutated(below), path);
});
