/**
 * What a peer seems to speak that is no JSON-RPC, known from its first bytes, and what it is told in its own protocol. pm-gateway has the
 * same rules.
 */
import { refusalText } from '../wire.mjs';

/** Why the first line of a connection is refused. */
export const NO_MESSAGE = 'the first line of a connection must be a message of JSON-RPC 2.0';

const LONGEST_METHOD = 32;
const BLANK = 0x20;
/** A fatal alert of TLS, unexpected_message (RFC 8446, section 6). */
const ALERT = Buffer.from([0x15, 3, 1, 0, 2, 2, 0x0a]);

/**
 * Looks at the first bytes of a connection. The first byte that decides does so whatever follows, so the answer does not depend on the
 * pieces in which the bytes arrive.
 * @param {Buffer} bytes
 * @returns {'open' | 'json' | 'http' | 'tls' | 'other'} `open`: more bytes are needed; `json`: a value or blanks before one
 */
export function guess(bytes) {
  if (bytes.length === 0) return 'open';
  if ('{[ \t'.includes(String.fromCharCode(bytes[0]))) return 'json';
  if (bytes[0] === 0x16) return bytes.length === 1 ? 'open' : bytes[1] === 3 ? 'tls' : 'other';
  // A request of HTTP begins with its method and a blank; so does the preface of HTTP/2.
  const head = bytes.subarray(0, LONGEST_METHOD + 1);
  for (let place = 0; place < head.length; place++) {
    if (head[place] === BLANK) return place > 0 ? 'http' : 'other';
    if (!isLetterOfMethod(head[place])) return 'other';
  }
  return bytes.length > LONGEST_METHOD ? 'other' : 'open';
}

function isLetterOfMethod(byte) {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x2d;
}

/**
 * What such a peer is told; the connection ends after it.
 * @param {'http' | 'tls' | 'other'} kind
 * @param {string} [reason] for a peer that speaks neither HTTP nor TLS
 * @returns {Buffer}
 */
export function answerTo(kind, reason = NO_MESSAGE) {
  if (kind === 'tls') return ALERT;
  if (kind === 'other') return Buffer.from(`${refusalText(undefined, reason)}\n`);
  const text = 'This is a connection point of a service: it speaks JSON-RPC 2.0, one message a line, not HTTP. Nothing was executed.\n';
  return Buffer.from([
    'HTTP/1.1 400 Bad Request', 'Content-Type: text/plain; charset=utf-8', `Content-Length: ${text.length}`, 'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff', 'Connection: close', '', text,
  ].join('\r\n'));
}
