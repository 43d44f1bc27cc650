'use strict';

/** The limits of the protocol, the same at both ends (Docs/Protocol.md). */

/** The longest message, in bytes: a line without its end, or a message of a WebSocket. */
const MAX_LINE = 64 * 1024 * 1024;
/** The room that is left for what the daemon writes around a message that it passes on: another id, a longer method name. */
const ROOM = 4096;
/** Bytes that wait for the other side to read them; above this nothing more is read or produced. */
const HIGH_WATER = 1024 * 1024;
/** Pieces of a stream that may wait for the code that reads them, before the sender gets a `$/pause`; the same in bytes. */
const HIGH_PIECES = 64;
const HIGH_BYTES = 1024 * 1024;
/** The same for a sender that ignores `$/pause`: the stream fails. */
const MOST_PIECES = 65536;
const MOST_BYTES = 128 * 1024 * 1024;
/** The port of a URL without one, as the reference has it. */
const DEFAULT_PORT = 31416;
/** The longest path in the address of a unix socket, in bytes (unix(7)). */
const LONGEST_PATH = 107;

module.exports = { DEFAULT_PORT, HIGH_BYTES, HIGH_PIECES, HIGH_WATER, LONGEST_PATH, MAX_LINE, MOST_BYTES, MOST_PIECES, ROOM };
