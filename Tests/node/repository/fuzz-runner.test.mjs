// Who runs the fuzz targets notices one that ends early, also on its own seeds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ABORTING = join(ROOT, '.build/fuzz-init/fuzz-abort');
const skip = !existsSync(join(ROOT, 'scripts/fuzz')) && 'the scripts are in the checkout alone';

/** What a shell prints that has the functions of a script. */
function shell(t, sources, words, environment = {}) {
  const text = `set -euo pipefail; ROOT=$1; shift; ${sources.map((name) => `. "$ROOT/scripts/${name}"`).join('; ')}; ${words}`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', text, 'bash', ROOT], {
    encoding: 'utf8', env: { ...process.env, ...environment },
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

/** A folder of the test's own. */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'pm-fuzz-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function program(path, lines) {
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
}

/** The counts of a pass with one target on these seeds. */
function pass(t, target, seeds) {
  const root = folder(t);
  const corpus = join(root, 'Tests/fuzz/corpus/abort');
  mkdirSync(corpus, { recursive: true });
  for (const [name, text] of Object.entries(seeds)) writeFileSync(join(corpus, name), text);
  const output = shell(t, ['lib/common.sh', 'lib/marked.sh', 'lib/testpass.sh'],
    'begin_pass "the test" "$TARGET_ROOT" / /; c_fuzz_target "$TARGET" abort; end_pass; echo "$PASSED $FAILED"',
    { TARGET: target, TARGET_ROOT: root });
  // One more has passed: nothing is left running.
  const [passed, failed] = output.trimEnd().split('\n').at(-1).split(' ').map(Number);
  return { passed: passed - 1, failed, output };
}

test('a target in C that holds is counted', { skip }, (t) => {
  if (!existsSync(ABORTING)) return t.skip('make test builds it');
  const { passed, failed, output } = pass(t, ABORTING, { a: 'one', b: 'two', c: '' });
  assert.deepEqual([passed, failed], [2, 0], output);
});

test('one that aborts on its own seed has failed', { skip }, (t) => {
  if (!existsSync(ABORTING)) return t.skip('make test builds it');
  const { passed, failed, output } = pass(t, ABORTING, { a: 'one', b: '!', c: 'three' });
  assert.deepEqual([passed, failed], [0, 1], output);
  assert.match(output, /does not hold: this one aborts on purpose\ninput: 21/);
});

test('one that aborts on a mutation has failed', { skip }, (t) => {
  if (!existsSync(ABORTING)) return t.skip('make test builds it');
  // The second part of one follows the first of another.
  const { failed, output } = pass(t, ABORTING, { a: 'x', b: 'x!', c: 'x!' });
  assert.equal(failed, 1, output);
});

test('one that ends early and calls that success has failed', { skip }, (t) => {
  const place = folder(t);
  const silent = program(join(place, 'silent'), ['exit 0']);
  const early = program(join(place, 'early'), ["echo 'ok  fuzz: early, 3 inputs of the corpus'", "echo 'ok  fuzz: early, 7 mutations'"]);
  assert.equal(pass(t, silent, { a: '' }).failed, 1);
  assert.equal(pass(t, early, { a: '' }).failed, 1);
});

/** Whether scripts/fuzz takes a run of libFuzzer for a failure that prints this and ends so. */
function fails(t, lines, status) {
  const place = folder(t);
  const fake = program(join(place, 'fake'), [...lines.map((line) => `echo '${line}' >&2`), `exit ${status}`]);
  const words = 'fuzz "$NAME" "$TARGET"; echo; echo "$failed failed"';
  const name = `runner-test-${process.pid}`;
  t.after(() => {
    for (const part of ['work', 'found']) rmSync(join(ROOT, '.build/fuzz', part, name), { recursive: true, force: true });
    rmSync(join(ROOT, `.build/log/fuzz-${name}.log`), { force: true });
  });
  mkdirSync(join(ROOT, '.build/log'), { recursive: true });
  return shell(t, ['fuzz'], words, { NAME: name, TARGET: fake }).trimEnd().endsWith('1 failed');
}

test('scripts/fuzz notices a run that ended early, or that counted nothing', { skip }, (t) => {
  const begun = '#2\tINITED cov: 7 ft: 8 corp: 1/1b', counted = 'stat::number_of_executed_units: 5000';
  assert.equal(fails(t, [begun, counted], 0), false);
  assert.equal(fails(t, [begun, 'does not hold: a rule', counted], 77), true);
  assert.equal(fails(t, [begun, 'stat::number_of_executed_units: 3'], 0), true);
  assert.equal(fails(t, [begun], 0), true);
  assert.equal(fails(t, [counted], 0), true);
});

test('every folder of inputs has a target, and every target inputs', { skip }, (t) => {
  const swift = shell(t, ['lib/fuzz.sh'], 'printf "%s\\n" "${SWIFT_TARGETS[@]}"').trim().split('\n');
  const targets = [...swift, ...shell(t, ['lib/fuzz.sh'], 'c_targets').trim().split('\n')].sort();
  const folders = readdirSync(join(ROOT, 'Tests/fuzz/corpus')).sort();
  assert.deepEqual(targets, folders);
  for (const name of folders) assert.ok(readdirSync(join(ROOT, 'Tests/fuzz/corpus', name)).length > 2, name);
  // Those are the ones that the Swift tests run.
  const source = readFileSync(join(ROOT, 'Tests/fuzz/Targets/FuzzTarget.swift'), 'utf8');
  assert.deepEqual([...source.matchAll(/^    case (\w+)$/gm)].map(([, name]) => name).sort(), swift.sort());
});
