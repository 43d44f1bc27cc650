'use strict';

/** Where the daemon's socket is: for a service the one that started it, else found as the command line finds it. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { errorWithStatus } = require('./wire/errors.cjs');
const { LONGEST_PATH } = require('./wire/limits.cjs');
const { judge, unknownUser } = require('./wire/trust.cjs');

const CONFIG = '.pm.config.json';
const SYSTEM_CONFIG = `/etc/pm/${CONFIG}`;

/**
 * @typedef {{url: string, server: import('./wire/trust.cjs').Server}} Place where a daemon is, and who may serve its socket (trust.cjs)
 */

/**
 * @param {{pmSock?: string | URL, configFile?: string, cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 *   `pmSock`: a URL or the path of a unix socket; `configFile`: the daemon of this file
 * @param {number} [user] who asks
 * @returns {Place}
 * @throws statusCode 404 when there is no configuration anywhere
 */
function daemonPlace({ pmSock, configFile, cwd = process.cwd(), env = process.env } = {}, user = process.geteuid()) {
  const asker = { env, user };
  if (pmSock !== undefined) return givenPlace(asURL(String(pmSock)), 'own', asker);
  if (configFile !== undefined) return placeOf(named(path.resolve(cwd, filePath(configFile))), asker);
  // A daemon of root may have its socket in the folder of another user.
  if (env.PM_SOCK) return givenPlace(asURL(env.PM_SOCK), 'named', asker);
  const found = upwards(cwd, asker);
  if (found !== undefined) {
    // In a folder of somebody who is not trusted their daemon is not meant; but root may ask the daemon of a user there.
    const place = placeOf(found, asker);
    return user === 0 || isOfTrusted(found, asker) ? place : { ...place, server: 'own' };
  }
  const other = [userConfig(env), SYSTEM_CONFIG].find((candidate) => candidate && fs.existsSync(candidate));
  if (other !== undefined) return placeOf(other, asker);
  throw errorWithStatus(404, `there is no ${CONFIG} in ${cwd} or above it, and no configuration of the user or the system`, {
    hint: 'pm start pm, or name a file with configFile',
  });
}

/**
 * A path that was given says nothing about whose daemon is meant: that of the folder's owner only where the folder is in the list of trusted ones, or
 * is that of the system's daemon, which containers have at the same place.
 */
function givenPlace(url, server, asker) {
  let socket;
  try {
    socket = decodeURIComponent(new URL(url).pathname);
  } catch {
    // What is no URL of a socket is refused when it is connected to.
    return { url, server };
  }
  const folder = path.dirname(realPath(socket));
  return { url, server: folder === '/run/pm' || isListed(folder, asker) ? 'folderOwner' : server };
}

function asURL(text) {
  if (/^[a-z+]+:\/\//.test(text)) return text;
  return `jsonrpc+unix://${path.resolve(text).split('/').map(encodeURIComponent).join('/')}`;
}

function filePath(file) {
  const text = String(file);
  return text.startsWith('file://') ? require('node:url').fileURLToPath(text) : text;
}

function named(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ? path.join(file, CONFIG) : file;
}

function upwards(cwd, asker) {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const file = path.join(folder, CONFIG);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory() && !isPlanted(file, stat, asker)) return file;
    if (folder === '/') return undefined;
  }
}

/** Whose configurations are meant without being named: those of this user and of root, for root also of the user who called sudo. */
function trustedUsers({ env, user }) {
  const caller = user === 0 && /^\d+$/.test(env.SUDO_UID ?? '') ? [Number(env.SUDO_UID)] : [];
  return [0, user, ...caller];
}

/** A file, or a link, that somebody else could have planted in a folder that anyone may write to is passed over. */
function isPlanted(file, { uid }, asker) {
  const trusted = trustedUsers(asker);
  const owners = [uid, fs.lstatSync(file, { throwIfNoEntry: false })?.uid ?? uid];
  return owners.some((owner) => !trusted.includes(owner)) && (fs.statSync(path.dirname(file)).mode & 0o002) !== 0;
}

/** Whether only trusted users could have written a configuration, or its folder is in the user's list of trusted ones. */
function isOfTrusted(file, asker) {
  const unknown = unknownUser();
  const others = unknown === undefined ? [] : [unknown];
  if (judge(file, [...trustedUsers(asker), ...others]).finding === undefined) return true;
  return isListed(realPath(path.dirname(file)), asker);
}

/** Whether a folder is in the list of trusted ones; a list that others could have written says nothing. */
function isListed(folder, { env, user }) {
  const unknown = unknownUser();
  const owners = unknown === undefined ? [user] : [user, unknown];
  const given = path.dirname(userConfig(env));
  // A variable may lead to the home of another user (`su`): the list in it is not this user's.
  const own = judge(given, owners).finding === undefined ? given : path.join(os.userInfo().homedir, '.config/pm');
  const list = path.join(own, 'trusted');
  const { isThere, finding } = judge(list, owners);
  return isThere && finding === undefined && fs.readFileSync(list, 'utf8').split('\n').includes(folder);
}

function userConfig(env) {
  const folder = absolute(env.XDG_CONFIG_HOME) ?? path.join(absolute(env.HOME) ?? os.userInfo().homedir, '.config');
  return path.join(folder, 'pm', CONFIG);
}

function absolute(value) {
  return value?.startsWith('/') ? value : undefined;
}

function placeOf(file, { env, user }) {
  const real = realPath(file);
  if (real === realPath(SYSTEM_CONFIG)) return { url: asURL('/run/pm/pm.sock'), server: 'folderOwner' };
  // In the runtime folder nobody else has a daemon.
  const runtime = runtimeFolder(env, user);
  if (real === realPath(userConfig(env))) return { url: asURL(path.join(runtime, 'pm.sock')), server: 'own' };
  const beside = path.join(path.dirname(real), 'pm.sock');
  const short = path.join(runtime, `${fingerprint(real)}.sock`);
  return isBeside(beside, short) ? { url: asURL(beside), server: 'folderOwner' } : { url: asURL(short), server: 'own' };
}

/** Whether the daemon's socket is beside its configuration, and not in the runtime folder: its path fits, and the folder takes it. */
function isBeside(beside, short) {
  if (Buffer.byteLength(beside) > LONGEST_PATH) return false;
  if (fs.existsSync(beside)) return true;
  if (fs.existsSync(short)) return false;
  try {
    fs.accessSync(path.dirname(beside), fs.constants.W_OK);
    return true;
  } catch (error) {
    return error.code === 'ENOENT';
  }
}

function realPath(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    // It does not exist: its name in the real path of its folder.
  }
  try {
    return path.join(fs.realpathSync(path.dirname(file)), path.basename(file));
  } catch {
    return file;
  }
}

function runtimeFolder(env, user) {
  const folder = absolute(env.XDG_RUNTIME_DIR);
  return folder === undefined ? `/tmp/pm-${user}` : path.join(folder, 'pm');
}

/** FNV-1a, 64 bits, as 16 hexadecimal digits. */
function fingerprint(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

module.exports = { daemonPlace };
