'use strict';

/** Where the daemon's socket is: for a service the one that started it, else found as the command line finds it. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { errorWithStatus } = require('./errors.cjs');

const CONFIG = '.pm.config.json';
const SYSTEM_CONFIG = `/etc/pm/${CONFIG}`;
/** The longest path in a socket's address, in bytes. */
const LONGEST = 107;

/**
 * @param {{pmSock?: string | URL, configFile?: string, cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 *   `pmSock`: a URL or the path of a unix socket; `configFile`: the daemon of this file
 * @returns {string} URL of the daemon
 * @throws statusCode 404 when there is no configuration anywhere
 */
function daemonURL({ pmSock, configFile, cwd = process.cwd(), env = process.env } = {}) {
  if (pmSock !== undefined) return asURL(String(pmSock));
  if (configFile !== undefined) return socketURL(named(path.resolve(cwd, filePath(configFile))), env);
  if (env.PM_SOCK) return asURL(env.PM_SOCK);
  const file = upwards(cwd) ?? [userConfig(env), SYSTEM_CONFIG].find((candidate) => candidate && fs.existsSync(candidate));
  if (file !== undefined) return socketURL(file, env);
  throw errorWithStatus(404, `there is no ${CONFIG} in ${cwd} or above it, and none of the user or the system`, {
    hint: 'pm start pm, or name a file with configFile',
  });
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

function upwards(cwd) {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const file = path.join(folder, CONFIG);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory() && isTrusted(stat, folder)) return file;
    if (folder === '/') return undefined;
  }
}

/** A file that somebody else could have planted in a folder that anyone may write to is passed over. */
function isTrusted({ uid }, folder) {
  return uid === 0 || uid === process.getuid() || (fs.statSync(folder).mode & 0o002) === 0;
}

function userConfig(env) {
  const folder = absolute(env.XDG_CONFIG_HOME) ?? path.join(absolute(env.HOME) ?? os.userInfo().homedir, '.config');
  return path.join(folder, 'pm', CONFIG);
}

function absolute(value) {
  return value?.startsWith('/') ? value : undefined;
}

function socketURL(file, env) {
  const real = realPath(file);
  if (real === realPath(SYSTEM_CONFIG)) return asURL('/run/pm/pm.sock');
  if (real === realPath(userConfig(env))) return asURL(path.join(runtimeFolder(env), 'pm.sock'));
  const beside = path.join(path.dirname(real), 'pm.sock');
  if (Buffer.byteLength(beside) <= LONGEST) return asURL(beside);
  return asURL(path.join(runtimeFolder(env), `${fingerprint(real)}.sock`));
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

function runtimeFolder(env) {
  const folder = absolute(env.XDG_RUNTIME_DIR);
  return folder === undefined ? `/tmp/pm-${process.getuid()}` : path.join(folder, 'pm');
}

/** FNV-1a, 64 bits, as 16 hexadecimal digits. */
function fingerprint(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

module.exports = { daemonURL };
