/** What a request's parameters become for a command. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fromWire } from '../../../Sources/node/host/commands/params.mjs';

test('places that a caller calls absent are undefined, so that default values count', () => {
  const { params, absent } = fromWire({ params: [null, null, 'a'], absent: [0] });
  assert.deepEqual([params, absent], [[undefined, null, 'a'], undefined]);
});

test('absent places are looked at in structured parameters only, and change no value', () => {
  assert.deepEqual(fromWire([{ absent: [0] }]).params, [{ absent: [0] }]);
  assert.deepEqual(fromWire({ params: [1, null], absent: [0, 7, 'length', -1, '__proto__', 1e9] }).params, [1, null]);
  assert.equal(fromWire({ params: [null], absent: 'yes' }).absent, 'yes');
});
