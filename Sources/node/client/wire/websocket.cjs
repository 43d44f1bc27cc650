'use strict';

/** WebSocket (RFC 6455) over a socket, for both ends: text messages, strict, with limits. No extensions. */
const { createHash, randomFillSync } = require('node:crypto');
const { HIGH_WATER, MAX_LINE } = require('./limits.cjs');
const { Pile } = require('./pile.cjs');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
/** How long a peer may take to answer a close. */
const CLOSE_WAIT = 2000;

/** The value of Sec-WebSocket-Accept for a key. */
function acceptKey(key) {
  return createHash('sha1').update(key + GUID).digest('base64');
}

/** Why a connection is failed: a status code of RFC 6455 section 7.4.1, and a reason. */
class ProtocolError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Understands the bytes that a peer sends; whatever breaks the rules throws a `ProtocolError`. */
class FrameReader {
  #waiting;
  #isServer;
  #limit;
  /** The frames of the message that is not complete. */
  #parts;
  #isOpen = false;

  /**
   * @param {boolean} isServer whether this end is the server, which gets masked frames and only those
   * @param {number} limit of a message, in bytes
   * @param {object} [account] what the peer may make this process hold (`Pile`)
   */
  constructor(isServer, limit, account) {
    this.#isServer = isServer;
    this.#limit = limit;
    this.#waiting = new Pile(account);
    this.#parts = new Pile(account);
  }

  /**
   * @param {Buffer} chunk
   * @returns {Generator<{kind: 'text' | 'ping' | 'pong' | 'close', data: string | Buffer}>}
   */
  *push(chunk) {
    if (!this.#waiting.append(chunk)) throw tooMuch();
    for (let frame = this.#frame(); frame !== undefined; frame = this.#frame()) {
      const message = this.#message(frame);
      if (message !== undefined) yield message;
    }
    // Half a frame must not hold the whole piece that was read, which nobody counts.
    if (!this.#waiting.keep()) throw tooMuch();
  }

  #frame() {
    const { bytes } = this.#waiting;
    const head = this.#header(bytes);
    if (head === undefined || bytes.length < head.start + head.length) return undefined;
    const payload = bytes.subarray(head.start, head.start + head.length);
    const data = head.mask === undefined ? payload : unmasked(payload, bytes, head.mask);
    this.#waiting.drop(head.start + head.length);
    return { ...head, data };
  }

  /** Everything is checked before a byte of the payload is waited for: a length that is announced costs nothing. */
  #header(bytes) {
    if (bytes.length < 2) return undefined;
    const first = bytes[0];
    const second = bytes[1];
    const isMasked = (second & 0x80) !== 0;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isFinal = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    this.#check({ first, opcode, isFinal, isMasked, short });
    const mask = 2 + lengthBytes;
    if (bytes.length < mask) return undefined;
    const length = readLength(bytes, short);
    if (length + this.#parts.size > this.#limit) throw new ProtocolError(1009, `a message is longer than ${this.#limit} bytes`);
    return { opcode, isFinal, length, start: mask + (isMasked ? 4 : 0), mask: isMasked ? mask : undefined };
  }

  #check({ first, opcode, isFinal, isMasked, short }) {
    if ((first & 0x70) !== 0) throw new ProtocolError(1002, 'a reserved bit is set, and no extension was agreed on');
    if (!Object.values(OPCODE).includes(opcode)) throw new ProtocolError(1002, `there is no opcode ${opcode}`);
    if (isMasked !== this.#isServer) {
      throw new ProtocolError(1002, this.#isServer ? 'a client must mask its frames' : 'a server must not mask its frames');
    }
    if (opcode >= OPCODE.close && !isFinal) throw new ProtocolError(1002, 'a control frame must not be fragmented');
    if (opcode >= OPCODE.close && short > 125) throw new ProtocolError(1002, 'a control frame is at most 125 bytes long');
    if (opcode === OPCODE.binary) throw new ProtocolError(1003, 'JSON-RPC is text, and this frame is binary');
    if (opcode === OPCODE.text && this.#isOpen) throw new ProtocolError(1002, 'a message begins before the last one ended');
    if (opcode === OPCODE.continuation && !this.#isOpen) throw new ProtocolError(1002, 'there is no message to continue');
  }

  #message({ opcode, isFinal, data }) {
    if (opcode === OPCODE.ping) return { kind: 'ping', data };
    if (opcode === OPCODE.pong) return { kind: 'pong', data };
    if (opcode === OPCODE.close) return { kind: 'close', data: checkedClose(data) };
    // Frames of nothing are allowed, and as many of them as one likes.
    const isWhole = isFinal && this.#parts.size === 0;
    if (!isWhole && !this.#parts.appendCopy(data)) throw tooMuch();
    this.#isOpen = !isFinal;
    if (!isFinal) return undefined;
    const text = utf8(isWhole ? data : this.#parts.bytes);
    this.#parts.clear();
    return { kind: 'text', data: text };
  }
}

function tooMuch() {
  return new ProtocolError(1013, 'clients together make this service hold too much: try again later');
}

function readLength(bytes, short) {
  if (short < 126) return short;
  const length = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (short === 127 && bytes[2] >= 0x80) throw new ProtocolError(1002, 'the first bit of a length is set');
  if (length < (short === 126 ? 126 : 65536)) throw new ProtocolError(1002, 'a length is not written the shortest way');
  return length;
}

/** The payload with the mask on it, or off it: the four bytes that `bytes` has at this place. */
function unmasked(payload, bytes, at) {
  const data = Buffer.allocUnsafe(payload.length);
  for (let index = 0; index < payload.length; index++) data[index] = payload[index] ^ bytes[at + (index & 3)];
  return data;
}

function utf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError(1007, 'a text is not UTF-8');
  }
}

function checkedClose(data) {
  if (data.length === 0) return data;
  if (data.length === 1) throw new ProtocolError(1002, 'a status code has two bytes');
  const code = data.readUInt16BE(0);
  const isDefined = (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (!isDefined) throw new ProtocolError(1002, `${code} is no status code`);
  utf8(data.subarray(2));
  return data;
}

/** One frame, final, as the end that is meant sends it. */
function frame(opcode, data, isServer) {
  const { length } = data;
  const lengthBytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const head = Buffer.alloc(2 + lengthBytes + (isServer ? 0 : 4));
  head[0] = 0x80 | opcode;
  head[1] = (isServer ? 0 : 0x80) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(length, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (isServer) return Buffer.concat([head, data]);
  const mask = head.length - 4;
  randomFillSync(head, mask);
  return Buffer.concat([head, unmasked(data, head, mask)]);
}

/** An open WebSocket. */
class WebSocketConnection {
  #socket;
  #isServer;
  #handlers;
  #state = 'open';

  /**
   * @param {import('node:net').Socket} socket after the handshake
   * @param {{isServer: boolean, head?: Buffer, limit?: number, account?: object}} options `head`: bytes that came behind the handshake;
   *   `account`: what the peer may make this process hold
   * @param {{message: (text: string) => void, closed: (cause?: Error) => void}} handlers
   */
  constructor(socket, { isServer, head, limit = MAX_LINE, account }, handlers) {
    this.#socket = socket;
    this.#isServer = isServer;
    this.#handlers = handlers;
    const reader = new FrameReader(isServer, limit, account);
    socket.on('data', (chunk) => this.#read(reader, chunk));
    // ECONNRESET and EPIPE say what 'close' says.
    let failure;
    socket.on('error', (error) => (failure = error));
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#ended(failure));
    socket.on('drain', () => socket.resume());
    if (head?.length > 0) this.#read(reader, head);
  }

  /** The bytes that wait to be sent. */
  get backlog() {
    return this.#socket.writableLength;
  }

  /** Sends a text message. */
  send(text) {
    if (this.#state === 'open') this.#write(OPCODE.text, Buffer.from(text));
  }

  /** Begins the closing handshake; the socket is closed when the peer has answered, or did not. */
  close(code = 1000, reason = '') {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    const data = Buffer.alloc(2);
    data.writeUInt16BE(code);
    this.#write(OPCODE.close, Buffer.concat([data, Buffer.from(reason).subarray(0, 120)]));
    this.#closeLate();
  }

  /** Whatever it goes on sending: after this time the socket is closed. */
  #closeLate() {
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_WAIT);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Who asks, or pings, and does not read the answers is not read from either. */
  #write(opcode, data) {
    this.#socket.write(frame(opcode, data, this.#isServer));
    if (this.#isServer && this.#socket.writableLength > HIGH_WATER) this.#socket.pause();
  }

  #read(reader, chunk) {
    if (this.#state === 'over') return;
    try {
      for (const { kind, data } of reader.push(chunk)) {
        this.#receiveFrame(kind, data);
        if (this.#state === 'over') return;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(error.code, error.message);
      this.#finish(error);
    }
  }

  #receiveFrame(kind, data) {
    if (kind === 'ping' && this.#state === 'open') this.#write(OPCODE.pong, data);
    if (kind === 'text' && this.#state === 'open') this.#handlers.message(data);
    if (kind !== 'close') return;
    if (this.#state === 'open') this.#write(OPCODE.close, data.subarray(0, 2));
    this.#finish();
  }

  /** Nothing that comes is of interest any more; what was written still goes out. */
  #finish(cause) {
    this.#state = 'over';
    this.#socket.end();
    this.#socket.resume();
    this.#closeLate();
    this.#tell(cause);
  }

  #ended(failure) {
    this.#state = 'over';
    this.#tell(failure);
  }

  #tell(cause) {
    const { closed } = this.#handlers;
    this.#handlers = { ...this.#handlers, closed: () => {} };
    closed(cause);
  }
}

/**
 * Answers a request to upgrade.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:net').Socket} socket
 * @returns {boolean} false when it was refused, and the socket is closed
 */
function acceptUpgrade(request, socket) {
  const { headers, method } = request;
  const key = headers['sec-websocket-key'];
  const isToken = (name, value) => (headers[name] ?? '').toLowerCase().split(/\s*,\s*/).includes(value);
  const isSound = method === 'GET' && isToken('connection', 'upgrade') && isToken('upgrade', 'websocket')
    && /^[A-Za-z0-9+/]{22}==$/.test(key ?? '');
  if (!isSound || headers['sec-websocket-version'] !== '13') {
    const status = isSound ? '426 Upgrade Required\r\nSec-WebSocket-Version: 13' : '400 Bad Request';
    const message = isSound ? 'this place speaks version 13 of WebSocket' : 'the request is not a handshake of RFC 6455';
    const body = JSON.stringify({ statusCode: isSound ? 426 : 400, message });
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    return false;
  }
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
  );
  return true;
}

module.exports = { acceptKey, acceptUpgrade, FrameReader, ProtocolError, WebSocketConnection };
