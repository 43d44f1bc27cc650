import assert from 'node:assert/strict';
import test from 'node:test';
import { parseJSON } from '../../../Sources/node/host/load/json.mjs';

/** [text, where it stops being JSON] */
const BROKEN = [
  ['', '1:1: unexpected end'],
  ['{"a":1,}', '1:8: unexpected "}"'],
  ['{\n  "a": 1\n  "b": 2\n}', '3:3: unexpected "\\""'],
  ['[1, 2', '1:6: unexpected end'],
  ['[1,, 2]', '1:4: unexpected ","'],
  ['[01]', '1:2: unexpected "0"'],
  ['{"a" 1}', '1:6: unexpected "1"'],
  ['{a: 1}', '1:2: unexpected "a"'],
  ["{'a': 1}", '1:2: unexpected "\'"'],
  ['[1]\n]', '2:1: unexpected "]"'],
  ['[}', '1:2: unexpected "}"'],
  ['{"a": tru}', '1:7: unexpected "t"'],
  ['"a\nb"', '1:1: unexpected "\\""'],
  ['{"a": 1}\n// comment', '2:1: unexpected "/"'],
];

for (const [text, message] of BROKEN) {
  test(`where ${JSON.stringify(text)} is broken`, () => {
    assert.throws(() => parseJSON(text, 'f'), { name: 'SyntaxError', message: `f:${message}` });
  });
}

test('JSON is read, also after a byte order mark', () => {
  assert.deepEqual(parseJSON('\ufeff{"a":[1,-2.5e3,"\\u00e9",true,null]}', 'f'), { a: [1, -2500, 'é', true, null] });
});
