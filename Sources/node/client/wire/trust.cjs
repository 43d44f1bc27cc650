'use strict';

/**
 * Whose word the path of a socket is. The rules are those of pm and of PMSidecar (PathTrust, TrustedSocket), which run the same
 * vectors: Tests/Fixtures/trust.
 */
const fs = require('node:fs');
const { errorWithStatus } = require('./errors.cjs');

/** As the kernel has it (path_resolution(7)). */
const MOST_LINKS = 40;
const [STICKY, GROUP_WRITES, OTHERS_WRITE] = [0o1000, 0o020, 0o002];

/**
 * @typedef {{kind: 'directory' | 'link' | 'socket' | 'other', target?: string, owner: number, group: number, mode: number}} Entry what lstat(2)
 *   tells of one name, and the text in a link
 * @typedef {{look: (path: string) => Entry | undefined, read: (path: string) => string | undefined}} Files a file system: what is at a path, links
 *   not followed, and the text of a file
 */

/**
 * Looks for who else could put something in the place of the file that a path leads to: at each folder and each symbolic link, from the root
 * folder to the file. Each must belong to somebody who is trusted, and nobody else may write it. A folder with the sticky bit may be open to
 * all: what belongs to somebody there, nobody else can replace.
 * @param {string} path an absolute one
 * @param {Iterable<number>} owners who is trusted; root always is
 * @param {Files} [files]
 * @returns {{isThere: boolean, finding?: string}} `finding`: the first thing on the way that somebody else could change, and why; `isThere`:
 *   whether the way was seen to its end
 */
function judge(path, owners, files = SYSTEM) {
  const trusted = new Set([0, ...owners]);
  const root = files.look('/');
  const rootFault = root && faultOf(root, trusted, files);
  if (rootFault !== undefined) return { isThere: true, finding: `/ ${rootFault}` };
  const rest = namesIn(path);
  let [place, links] = ['', 0];
  while (rest.length > 0) {
    const name = rest.pop();
    if (name === '..') {
      place = place.slice(0, Math.max(0, place.lastIndexOf('/')));
      continue;
    }
    const next = `${place}/${name}`;
    const entry = files.look(next);
    if (entry === undefined) return { isThere: false };
    const fault = faultOf(entry, trusted, files);
    if (fault !== undefined) return { isThere: true, finding: `${next} ${fault}` };
    if (entry.kind !== 'link') {
      place = next;
      continue;
    }
    if (++links > MOST_LINKS) return { isThere: true, finding: `${path} leads over too many symbolic links` };
    if (entry.target.startsWith('/')) place = '';
    rest.push(...namesIn(entry.target));
  }
  return { isThere: true };
}

/** The names in a path, the last one first. */
function namesIn(path) {
  return path.split('/').filter((name) => name !== '' && name !== '.').reverse();
}

function faultOf({ kind, owner, group, mode }, trusted, files) {
  if (!trusted.has(owner)) return `belongs to user ${owner}`;
  // A link has no permissions, and those of a socket are of who may connect.
  if (kind === 'link' || kind === 'socket') return undefined;
  if (kind === 'directory' && (mode & STICKY) !== 0) return undefined;
  if ((mode & OTHERS_WRITE) !== 0) return 'can be written by everybody';
  if ((mode & GROUP_WRITES) !== 0 && !isGroupOfTrusted(group, trusted, files)) return `can be written by group ${group}`;
  return undefined;
}

/**
 * Whether nobody else is in a group, as in the one of each user that many systems make; and the group `pm`, whose members may do what root's
 * daemon does anyway. A group that /etc/group does not name may have any members.
 */
function isGroupOfTrusted(group, trusted, files) {
  const users = recordsIn('/etc/passwd', files);
  const named = recordsIn('/etc/group', files).find(([, , id]) => id === String(group));
  if (named === undefined) return false;
  if (named[0] === 'pm') return true;
  const names = new Set(users.filter(([, , id]) => trusted.has(idOf(id))).map(([name]) => name));
  const members = named[3].split(',').filter((name) => name !== '');
  const first = users.filter(([, , , id]) => id === named[2]).map(([name]) => name);
  return [...members, ...first].every((name) => names.has(name));
}

/** A list that cannot be read names nobody. */
function recordsIn(path, { read }) {
  return (read(path) ?? '').split('\n').map((line) => line.split(':')).filter((row) => row.length >= 4);
}

/** The number of a user; undefined for what is none. */
function idOf(text) {
  const id = /^\+?\d+$/.test(text ?? '') ? Number(text) : NaN;
  return id <= 0xffff_ffff ? id : undefined;
}

const SYSTEM = {
  look(path) {
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const { uid: owner, gid: group } = stat;
    const rest = { owner, group, mode: stat.mode & 0o7777 };
    if (stat.isDirectory()) return { kind: 'directory', ...rest };
    if (stat.isSocket()) return { kind: 'socket', ...rest };
    return stat.isSymbolicLink() ? { kind: 'link', target: targetOf(path), ...rest } : { kind: 'other', ...rest };
  },
  read(path) {
    try {
      return fs.readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
};

function targetOf(path) {
  try {
    return fs.readlinkSync(path);
  } catch {
    // A link that went away meanwhile leads nowhere.
    return '';
  }
}

/**
 * The id that files of users show who have none in this user namespace, root of the machine among them; undefined where it is somebody's own,
 * as it is outside of such a namespace (user_namespaces(7)). Without /proc nothing is known, and everybody has an id.
 * @param {Files} [files]
 */
function unknownUser({ read } = SYSTEM) {
  const id = idOf(/^\d+/.exec(read('/proc/sys/kernel/overflowuid') ?? '')?.[0]);
  const map = read('/proc/self/uid_map');
  if (id === undefined || map === undefined) return undefined;
  const isMapped = map.split('\n').filter((line) => line !== '').some((line) => {
    const [first, , count] = line.trim().split(/ +/).map(Number);
    return count === undefined || (id >= first && id - first < count);
  });
  return isMapped ? undefined : id;
}

/** @typedef {'own' | 'folderOwner' | 'named'} Server the users that may serve a socket, as requireTrust has it */

/**
 * Makes sure that nobody else could have put a socket there. Node does not tell who serves a socket (SO_PEERCRED), so it is the file
 * that must belong to somebody who is trusted; who may not write the folders on the way cannot put another one in its place.
 * @param {string} socket the path
 * @param {Server} server who may serve it, besides root and the user of this process: `own`: nobody else; `folderOwner`: the owner
 *   of its folder, where somebody has named the folder or is in it; `named`: nobody else, but in a folder of any user
 * @throws statusCode 403 with what is wrong and whose it is; ENOENT when there is no socket
 */
function requireTrust(socket, server) {
  const path = socket.startsWith('/') ? socket : `${process.cwd()}/${socket}`;
  const trusted = new Set([0, process.geteuid()]);
  const folder = folderOf(path);
  const owner = fs.statSync(folder, { throwIfNoEntry: false })?.uid;
  if (server !== 'own' && owner !== undefined) trusted.add(owner);
  // Where root of the machine has no id, its folders cannot be told from others.
  const unknown = unknownUser();
  const { isThere, finding } = judge(path, unknown === undefined ? trusted : [...trusted, unknown]);
  if (finding !== undefined) throw distrusted(socket, finding);
  if (server === 'named') requireOwner(socket, path, unknown);
  // What is not there was not judged, and could be made by anybody now.
  if (!isThere) throw Object.assign(new Error(`connect ENOENT ${socket}`), { code: 'ENOENT', syscall: 'connect', address: socket });
  if (owner !== undefined && !trusted.has(owner)) throw distrusted(socket, `${folder} belongs to user ${owner}`);
}

/** Refuses a socket that a variable names unless its file belongs to root or to the user of this process; its folder may belong to another user. */
function requireOwner(socket, path, unknown) {
  const file = fs.statSync(path, { throwIfNoEntry: false });
  if (file === undefined || [0, process.geteuid(), unknown].includes(file.uid)) return;
  throw distrusted(socket, `${path} belongs to user ${file.uid}`);
}

/** The folder that holds the socket, links at the end of its path followed. */
function folderOf(path) {
  let real = path;
  try {
    real = fs.realpathSync(path);
  } catch {
    // Of what is not there the name says it.
  }
  return real.slice(0, real.lastIndexOf('/')) || '/';
}

function distrusted(socket, finding) {
  return errorWithStatus(403, `pm sent nothing to ${socket}, because another user may have made this socket: ${finding}`, {
    hint: 'pm trusts a socket only of root, of you, or of the owner of a folder that you name (configFile) or that is in ~/.config/pm/trusted: '
      + 'remove what belongs to others, or set XDG_RUNTIME_DIR to a folder of your own',
  });
}

module.exports = { judge, requireTrust, unknownUser };
