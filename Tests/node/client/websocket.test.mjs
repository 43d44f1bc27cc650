import assert from 'node:assert/strict';
import test from 'node:test';
import websocket from '../../../Sources/node/client/wire/websocket.cjs';

const { acceptKey, FrameReader, ProtocolError } = websocket;

/** A frame from its parts; masked with a fixed key when `mask` is given. */
function frame({ first, length, data = Buffer.alloc(0), mask }) {
  const head = [first];
  const size = length ?? data.length;
  const bit = mask === undefined ? 0 : 0x80;
  if (size < 126) head.push(bit | size);
  else if (size < 65536) head.push(bit | 126, size >> 8, size & 255);
  else head.push(bit | 127, ...Buffer.from(BigInt(size).toString(16).padStart(16, '0'), 'hex'));
  if (mask === undefined) return Buffer.concat([Buffer.from(head), data]);
  return Buffer.concat([Buffer.from([...head, ...mask]), data.map((byte, index) => byte ^ mask[index & 3])]);
}

const MASK = [1, 2, 3, 4];
const client = (first, data, length) => frame({ first, data: Buffer.from(data ?? ''), length, mask: MASK });

/** What a server makes of bytes, in pieces of one size. */
function read(bytes, piece = bytes.length, limit = 1 << 20) {
  const reader = new FrameReader(true, limit);
  const all = [];
  for (let at = 0; at < bytes.length; at += piece) {
    for (const message of reader.push(bytes.subarray(at, at + piece))) all.push([message.kind, String(message.data)]);
  }
  return all;
}

test('the example of RFC 6455 is accepted', () => {
  assert.equal(acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const hello = Buffer.from([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
  assert.deepEqual(read(hello), [['text', 'Hello']]);
  const fromServer = new FrameReader(false, 100);
  assert.deepEqual([...fromServer.push(Buffer.from([0x81, 5, 0x48, 0x65, 0x6c, 0x6c, 0x6f]))].map(({ data }) => data), ['Hello']);
});

test('messages are put together, whatever pieces they come in', () => {
  const long = 'é€😀'.repeat(10_000);
  const bytes = Buffer.concat([
    client(0x01, 'one, '), client(0x89, 'are you there'), client(0x00, 'two, '), client(0x80, 'three'),
    client(0x81, ''), client(0x81, long), client(0x8a, 'yes'), client(0x81, 'x'.repeat(126)), client(0x88, ''),
  ]);
  const expected = [
    ['ping', 'are you there'], ['text', 'one, two, three'], ['text', ''], ['text', long], ['pong', 'yes'],
    ['text', 'x'.repeat(126)], ['close', ''],
  ];
  for (const piece of [1, 2, 3, 7, 100, 65536, bytes.length]) assert.deepEqual(read(bytes, piece), expected, `${piece}`);
});

test('a character may be cut between frames, but not be wrong', () => {
  const [one, two] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  assert.deepEqual(read(Buffer.concat([client(0x01, one), client(0x80, two)])), [['text', 'é']]);
  for (const wrong of [[0xc3], [0xff], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80]]) {
    assert.throws(() => read(client(0x81, Buffer.from(wrong))), { code: 1007 });
  }
});

const BROKEN = [
  ['a frame without a mask', frame({ first: 0x81, data: Buffer.from('x') }), 1002],
  ['reserved bit 1', client(0xc1, 'x'), 1002],
  ['reserved bit 2', client(0xa1, 'x'), 1002],
  ['reserved bit 3', client(0x91, 'x'), 1002],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, client(0x80 | opcode, ''), 1002]),
  ['a fragmented ping', client(0x09, 'x'), 1002],
  ['a fragmented close', client(0x08, ''), 1002],
  ['a ping of 126 bytes', client(0x89, 'x'.repeat(126)), 1002],
  ['a continuation of nothing', client(0x80, 'x'), 1002],
  ['a message in a message', Buffer.concat([client(0x01, 'x'), client(0x81, 'y')]), 1002],
  ['a binary message', client(0x82, 'x'), 1003],
  ['a length that could be shorter, 16 bits', Buffer.from([0x81, 0xfe, 0, 5]), 1002],
  ['a length that could be shorter, 64 bits', Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 1, 0]), 1002],
  ['a length with its first bit set', Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0]), 1002],
  ['a close code of one byte', client(0x88, 'x'), 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((code) => [
    `close code ${code}`, client(0x88, Buffer.from([code >> 8, code & 255])), 1002,
  ]),
  ['a close reason that is no UTF-8', client(0x88, Buffer.from([3, 232, 0xff])), 1007],
];

for (const [what, bytes, code] of BROKEN) {
  test(`refused: ${what}`, () => {
    assert.throws(() => read(bytes), (error) => error instanceof ProtocolError && error.code === code);
    assert.throws(() => read(bytes, 1), { code });
  });
}

test('a length that is announced costs nothing', () => {
  assert.throws(() => read(frame({ first: 0x81, length: 2 ** 30, mask: MASK })), { code: 1009 });
  assert.throws(() => read(frame({ first: 0x81, length: 2 ** 52, mask: MASK })), { code: 1009 });
  // In many frames as well.
  const piece = client(0x00, 'x'.repeat(60_000));
  const many = Buffer.concat([client(0x01, 'x'), ...Array.from({ length: 20 }, () => piece)]);
  assert.throws(() => read(many, 65536), { code: 1009 });
  // Memory that nobody has touched is not seen in what the process takes: buffers are counted by their length.
  const before = process.memoryUsage().arrayBuffers;
  const waiting = new FrameReader(true, 2 ** 31);
  assert.deepEqual([...waiting.push(frame({ first: 0x81, length: 2 ** 30, data: Buffer.from('x'), mask: MASK }))], []);
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 10);
});
