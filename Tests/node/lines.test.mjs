import assert from 'node:assert/strict';
import test from 'node:test';
import { beginningOf } from '../../Sources/node/client/wire/envelope.cjs';
import { LineSplitter } from '../../Sources/node/client/wire/lines.cjs';

const TEXT = ['', 'one', 'zwei€', '😀', '', 'x'.repeat(300)];

test('lines are the same whatever the sizes of the reads, also when the buffer is reused', () => {
  const bytes = Buffer.from(`${TEXT.join('\n')}\nrest`);
  for (let size = 1; size <= bytes.length; size++) {
    const lines = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    const buffer = Buffer.alloc(size);
    for (let start = 0; start < bytes.length; start += size) {
      const length = bytes.copy(buffer, 0, start, start + size);
      splitter.push(buffer.subarray(0, length));
    }
    assert.deepEqual(lines, TEXT.filter(Boolean), `reads of ${size}`);
  }
});

test('a line over the limit is dropped as soon as it is, its beginning is told, and those around it come', () => {
  for (const size of [1, 3, 5]) {
    const [lines, heads] = [[], []];
    const splitter = new LineSplitter((line) => lines.push(line), { limit: 8, onTooLong: (head) => heads.push(head) });
    const bytes = Buffer.from(`before\n123456789${'0'.repeat(31)}\nafter\n\nend\n`);
    for (let start = 0; start < bytes.length; start += size) {
      splitter.push(bytes.subarray(start, start + size));
      assert.equal(heads.length, start + size > 'before\n'.length + 8 ? 1 : 0);
    }
    assert.deepEqual(lines, ['before', 'after', 'end']);
    assert.match(heads[0], /^123456789/);
  }
});

test('what came of a line is the last one when the other side ends', () => {
  const lines = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  splitter.push(Buffer.from('one\ntw'));
  splitter.end();
  assert.deepEqual(lines, ['one', 'tw']);
});

const BEGINNINGS = [
  ['{"jsonrpc":"2.0","id":7,"method":"m","params":["x', { id: 7, kind: 'request' }],
  ['{"id":"a\\"b","params":["x', { id: 'a"b', kind: 'request' }],
  [' {"id":1.5,"result":{"a', { id: 1.5, kind: 'answer' }],
  ['{"id":-3,"error":{"a', { id: -3, kind: 'answer' }],
  ['{"method":"m","params":["x', { kind: 'request' }],
  ['{"id":null,"method":"m","params":["x', { kind: 'request' }],
  ['{"id":{"a":1},"method":"m"', {}],
  ['{"id":4,"result":"' + 'x'.repeat(10_000), { id: 4, kind: 'answer' }],
  ['[{"id":1', {}],
  ['', {}],
];

test('the beginning of a message tells whose it is', () => {
  for (const [text, expected] of BEGINNINGS) assert.deepEqual(beginningOf(text), expected, text.slice(0, 60));
});
