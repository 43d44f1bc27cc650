import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';

const FOLDER = new URL('../../Fixtures/json/', import.meta.url);

/** @returns {boolean} whether V8 takes the bytes for JSON in UTF-8 */
function isAccepted(bytes) {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const names = readdirSync(FOLDER);

test('V8 accepts what every JSON parser must accept, and rejects what it must reject', () => {
  const wrong = names.filter((name) => {
    return !name.startsWith('i_') && isAccepted(readFileSync(new URL(name, FOLDER))) !== name.startsWith('y_');
  });
  assert.deepEqual(wrong, []);
});

test('the set has texts of each kind', () => {
  assert.ok(names.length >= 150);
  for (const name of names) assert.match(name, /^[yni]_[a-z0-9_]+\.json$/);
});
