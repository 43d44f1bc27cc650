/** The manual pages that are made from the help of the program. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = process.env.PM_TEST_ROOT ?? fileURLToPath(new URL('../../..', import.meta.url));
const STAGE = process.env.PM_TEST_STAGE ?? join(ROOT, '.build/stage');

/** Writes the pages; returns their texts by name. */
function pages(t) {
  const folder = mkdtempSync(join(tmpdir(), 'pm-man-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, [join(ROOT, 'Packaging/man/manual.mjs'), join(STAGE, 'bin/pm'), folder], {
    env: { PATH: process.env.PATH, SOURCE_DATE_EPOCH: '1790000000' },
  });
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** The lines of a section. */
function section(page, title) {
  const [, rest] = page.split(`.SH ${title}\n`);
  return rest?.split('\n.SH ')[0].split('\n');
}

test('each page has its examples, its exit status and a real date', (t) => {
  const all = pages(t);
  assert.ok(Object.keys(all).length > 40);
  for (const [name, page] of Object.entries(all)) {
    const verb = name.slice(0, -2).replace('-', ' ').replaceAll('-', '\\-');
    const examples = section(page, 'EXAMPLES')?.filter((line) => line.startsWith('.B '));
    assert.ok(examples?.length > 0 && examples.every((line) => line.startsWith(`.B ${verb}`)), `${name}: ${examples}`);
    assert.ok(section(page, 'EXIT STATUS'), name);
    assert.doesNotMatch(section(page, 'DESCRIPTION').join('\n'), /EXAMPLES|Exit codes/, name);
    assert.match(page, /^\.TH \S+ 1 2026-09-21 /, name);
  }
});

test('pm(1) has the exit codes of the documents and the variables of the documents', (t) => {
  const page = pages(t)['pm.1'];
  const documented = readFileSync(join(ROOT, 'Docs/CommandLine.md'), 'utf8');
  const codes = section(page, 'EXIT STATUS').filter((line) => line.startsWith('.B ')).map((line) => line.slice(3));
  const table = documented.split('## Exit codes')[1].split('\n## ')[0];
  assert.deepEqual(codes, [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code));
  const variables = section(page, 'ENVIRONMENT').filter((line) => line.startsWith('.B ')).flatMap((line) => line.slice(3).split(', '));
  assert.ok(variables.includes('PM_PROFILE') && variables.includes('NO_COLOR'));
  for (const name of variables) assert.ok(documented.includes(`\`${name}\``), name);
});
