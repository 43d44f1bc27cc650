import assert from 'node:assert/strict';
import test from 'node:test';
import { LineSplitter } from '../../Sources/node/host/lines.mjs';

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
    assert.deepEqual(lines, TEXT, `reads of ${size}`);
  }
});

test('a line over the limit is dropped, those around it are not', (t) => {
  const said = [];
  t.mock.method(process.stderr, 'write', (text) => said.push(text));
  for (const size of [1, 3, 5]) {
    const lines = [];
    const splitter = new LineSplitter((line) => lines.push(line), 8);
    const bytes = Buffer.from(`before\n${'1'.repeat(40)}\nafter\nend\n`);
    for (let start = 0; start < bytes.length; start += size) splitter.push(bytes.subarray(start, start + size));
    assert.deepEqual(lines.filter((line) => line !== ''), ['before', 'after', 'end']);
  }
  assert.deepEqual(said, Array(3).fill('pm: dropped a line of more than 8 bytes\n'));
});
