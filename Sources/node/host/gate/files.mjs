/** Files that a connection point names: keys that only their owner may read, and sockets that nobody serves any more. */
import { closeSync, constants, fstatSync, linkSync, lstatSync, openSync, readFileSync, renameSync, rmdirSync, mkdtempSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { errorWithStatus } from '../wire.mjs';

/**
 * The text of a PEM file, or the text itself.
 * @param {string | Buffer} value
 * @param {{url: string, isSecret?: boolean}} use `isSecret`: a file that others may read, or that is not ours, is refused
 * @throws naming the file and the next step
 */
export function pem(value, { url, isSecret = false }) {
  if (String(value).includes('-----BEGIN')) return value;
  try {
    const file = openSync(value, constants.O_RDONLY | constants.O_CLOEXEC);
    try {
      // What is looked at is what is read.
      if (isSecret) checkSecret(fstatSync(file), value);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw Object.assign(errorWithStatus(500, `cannot listen at ${url}: ${error.message}`), { code: error.code });
  }
}

/** The group may read a key (as ssl-cert's may); nobody else but its owner, who is root or the user of this process. */
function checkSecret({ mode, uid }, path) {
  if (uid !== 0 && uid !== process.getuid()) {
    throw new Error(`the key ${path} belongs to user ${uid}, who could replace it; chown it to root or to the service's user`);
  }
  if ((mode & 0o037) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(`the key ${path} has mode ${octal}: others may read or change it; chmod 600 ${path} (or 640 for a group of its own)`);
  }
}

/**
 * Makes room for a socket: takes away the socket that a killed service left, and nothing else.
 *
 * The file is moved into a folder of our own first, and looked at there: whatever is put in its place meanwhile stays where it is.
 * @param {string} path
 * @throws naming the path and the next step, when there is something else, or a socket that somebody serves
 */
export async function removeStaleSocket(path) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    const what = found.isSymbolicLink() ? 'a link' : found.isDirectory() ? 'a folder' : 'a file that is no socket';
    throw Object.assign(new Error(`${path} is ${what}; move it away, or name another path for the connection point`), { code: 'EEXIST' });
  }
  // `listen` says EADDRINUSE for one that is served.
  if (await isServed(path)) return;
  const folder = mkdtempSync(join(dirname(path), '.pm-'));
  const moved = join(folder, 's');
  try {
    renameSync(path, moved);
    const now = lstatSync(moved);
    if (now.isSocket() && now.ino === found.ino && now.dev === found.dev) return unlinkSync(moved);
    putBack(moved, path);
  } catch (error) {
    // Somebody else was quicker.
    if (error.code !== 'ENOENT') throw error;
  } finally {
    rmdirSync(folder);
  }
}

/** Another file than the one that was looked at: it goes back, unless its place is taken again. */
function putBack(moved, path) {
  linkSync(moved, path);
  unlinkSync(moved);
}

function isServed(path) {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(true) || socket.destroy());
    socket.once('error', ({ code }) => resolve(code !== 'ECONNREFUSED'));
  });
}
