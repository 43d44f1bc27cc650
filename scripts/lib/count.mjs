// Counts tests: `node count.mjs swift|tap FILE` prints "PASSED FAILED SKIPPED", then a line `skip NAME` for each skipped
// test and a line `fail NAME` for each failed one.
//   swift: the event stream of Swift Testing (one JSON object a line)    tap: the Test Anything Protocol, nested too
// `node count.mjs issues FILE` prints what went wrong according to an event stream.
import { readFileSync } from 'node:fs';

/** @returns {object[]} the records of an event stream; what follows the last line break was torn by a crash */
function records(text) {
  return text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
}

/** @returns {string[]} each recorded issue: the test, the place, what was expected, the comments */
function issues(text) {
  const all = records(text);
  const names = new Map(all.filter(({ kind }) => kind === 'test').map(({ payload }) => [payload.id, nameOf(payload)]));
  const recorded = all.filter(({ kind, payload }) => kind === 'event' && payload.kind === 'issueRecorded');
  return recorded.filter(({ payload }) => !payload.issue?.isKnown).map(({ payload }) => {
    const { filePath, _filePath: path = filePath, line } = payload.issue?.sourceLocation ?? {};
    const said = payload.messages.map((message) => message.text.trim()).join('\n  ');
    return `  ✘ ${names.get(payload.testID) ?? 'outside a test'}\n  ${path}:${line}: ${said}`;
  });
}

/** @returns {Map<string, string>} for each test what went wrong in it first, as the end of a line */
function firstIssues(text) {
  const first = new Map();
  for (const { kind, payload } of records(text)) {
    if (kind !== 'event' || payload.kind !== 'issueRecorded' || first.has(payload.testID)) continue;
    const said = payload.messages.map((message) => message.text).join(' ').replace(/\s+/g, ' ').trim();
    const line = payload.issue?.sourceLocation?.line;
    first.set(payload.testID, `: ${line ? `line ${line}: ` : ''}${said.slice(0, 300)}`);
  }
  return first;
}

function nameOf({ displayName, name }) {
  return displayName ?? name;
}

/** @typedef {{passed: number, failed: number, skips: string[], failures: string[]}} Counts */

/** @returns {Counts} what the event stream says of its test functions */
function countSwift(text) {
  const names = new Map();
  const outcome = new Map();
  const skips = [];
  for (const { kind, payload } of records(text)) {
    if (kind === 'test' && payload.kind === 'function') names.set(payload.id, nameOf(payload));
    if (kind !== 'event' || !names.has(payload.testID)) continue;
    if (payload.kind === 'testStarted') outcome.set(payload.testID, 'fail'); // until it says otherwise: it may crash
    if (payload.kind === 'testEnded') outcome.set(payload.testID, payload.messages[0]?.symbol ?? 'fail');
    if (payload.kind === 'testSkipped') skips.push(payload.messages[0]?.text ?? names.get(payload.testID));
  }
  const reasons = firstIssues(text);
  const failures = [...outcome].filter(([, symbol]) => symbol === 'fail').map(([id]) => id + (reasons.get(id) ?? ''));
  return { passed: outcome.size - failures.length, failed: failures.length, skips, failures };
}

/** @returns {Counts} what a TAP report says; node's own totals win */
function countTap(text) {
  const results = [...text.matchAll(/^\s*(not ok|ok)\b[ \d]*-? *(.*)$/gm)];
  const isSkipped = ([, , rest]) => /# *SKIP\b/i.test(rest);
  const skips = results.filter(isSkipped).map(([, , rest]) => rest.replace(/ *# *SKIP */i, ': '));
  const failures = results.filter((result) => result[1] === 'not ok' && !isSkipped(result)).map(([, , rest]) => rest);
  const passes = results.filter((result) => result[1] === 'ok' && !isSkipped(result)).length;
  // node's report also has a result for each suite, so only its totals count tests
  const total = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? NaN);
  if (Number.isNaN(total('tests'))) return { passed: passes, failed: failures.length, skips, failures };
  return { passed: total('pass'), failed: total('fail') + total('cancelled'), skips, failures };
}

function printCounts({ passed, failed, skips, failures }) {
  const named = [...skips.map((name) => `skip ${name}`), ...failures.map((name) => `fail ${name}`)];
  console.log([`${passed} ${failed} ${skips.length}`, ...named].join('\n'));
}

const [kind, file] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
if (kind === 'issues') issues(text).forEach((issue) => console.log(issue));
else printCounts(kind === 'swift' ? countSwift(text) : countTap(text));
