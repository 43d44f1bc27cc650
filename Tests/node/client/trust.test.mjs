/** Whose sockets a client of a daemon trusts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, lchownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { connect, sidecar } from '../../../Sources/node/client/index.mjs';
import { definition, folder, Host } from '../support/host.mjs';

const require = createRequire(import.meta.url);
const { judge, unknownUser } = require('../../../Sources/node/client/wire/trust.cjs');
const { daemonPlace } = require('../../../Sources/node/client/location.cjs');

const { vectors } = JSON.parse(readFileSync(new URL('../../Fixtures/trust/paths.json', import.meta.url)));
const USERS = 'root:x:0:0::/root:/bin/sh\nada:x:1000:7::/home/ada:/bin/sh\n';

/** The file system of a vector. */
function filesOf({ entries, passwd = USERS, group = '' }) {
  const look = (path) => {
    const entry = path in entries ? entries[path] : { owner: 0 };
    return entry === null ? undefined : { kind: 'directory', group: 0, ...entry, mode: Number.parseInt(entry.mode ?? '0755', 8) };
  };
  return { look, read: (path) => ({ '/etc/passwd': passwd, '/etc/group': group })[path] };
}

for (const vector of vectors) {
  test(`a path is judged: ${vector.what}`, () => {
    const { isThere, finding } = judge(vector.path, vector.owners ?? [1000], filesOf(vector));
    assert.equal(finding, vector.finding);
    assert.equal(isThere, vector.isThere ?? true);
  });
}

test('files of users without an id in this namespace show one that nobody has', () => {
  const unknown = (map, id = '65534\n') => unknownUser({ read: (path) => (path.endsWith('uid_map') ? map : id) });
  assert.equal(unknown('         0          0 4294967295\n'), undefined);
  assert.equal(unknown('0 1000 1\n'), 65534);
  assert.equal(unknown('0 1000 1\n65000 100000 1000\n'), undefined);
  assert.equal(unknown('nonsense\n'), undefined);
  assert.equal(unknown(undefined), undefined);
});

// MARK: real sockets

const STRANGER = 65533;
const isRoot = process.geteuid() === 0;
const asRoot = { skip: isRoot ? false : 'only root can make what is of somebody else' };

/** A daemon that counts who comes and what they say; `heard` resolves with the first words. */
async function daemon(t, path) {
  const seen = { connections: 0, bytes: 0 };
  const sockets = [];
  let resolve;
  const heard = new Promise((done) => (resolve = done));
  const server = net.createServer((socket) => {
    seen.connections++;
    sockets.push(socket);
    socket.on('error', () => {}).on('data', (data) => resolve(`${data}`, (seen.bytes += data.length)));
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { seen, heard };
}

/** Nothing is said, nor even connected to. */
async function assertRefused(options, { seen }, finding) {
  const expected = (error) => {
    assert.equal(error.statusCode, 403, `${error}`);
    assert.ok(error.message.startsWith('pm sent nothing to /'), error.message);
    assert.ok(error.message.endsWith(finding), error.message);
    assert.match(error.hint, /remove what belongs to others/);
    return true;
  };
  await assert.rejects(sidecar(options).users, expected);
  await assert.rejects(sidecar(options).pm, expected);
  await assert.rejects(connect('users', options), expected);
  assert.deepEqual(seen, { connections: 0, bytes: 0 });
}

test('a socket in a folder that everybody may write gets nothing', async (t) => {
  const root = folder(t, { 'open/.pm.config.json': {} });
  const open = join(root, 'open');
  const seen = await daemon(t, join(open, 'pm.sock'));
  chmodSync(open, 0o777);
  for (const options of [{ pmSock: join(open, 'pm.sock') }, { pmSock: `jsonrpc+unix://${open}/pm.sock` }, { configFile: open }]) {
    await assertRefused(options, seen, `${open} can be written by everybody`);
  }
  // The URL that a daemon hands down.
  await assertRefused({ env: { PM_SOCK: `jsonrpc+unix://${open}/pm.sock` } }, seen, `${open} can be written by everybody`);
  // A link of one's own does not help.
  symlinkSync(open, join(root, 'link'));
  await assertRefused({ pmSock: join(root, 'link/pm.sock') }, seen, `${open} can be written by everybody`);
});

test('a runtime folder, a link and a socket of somebody else get nothing', asRoot, async (t) => {
  const root = folder(t, { 'home/.config/pm/.pm.config.json': {}, 'run/pm/x': '', 'own/x': '' });
  const env = { HOME: join(root, 'home'), XDG_RUNTIME_DIR: join(root, 'run') };
  chmodSync(join(root, 'run'), 0o1777);
  const planted = await daemon(t, join(root, 'run/pm/pm.sock'));
  chownSync(join(root, 'run/pm'), STRANGER, STRANGER);
  await assertRefused({ configFile: join(root, 'home/.config/pm'), env }, planted, `${root}/run/pm belongs to user ${STRANGER}`);
  const seen = await daemon(t, join(root, 'own/pm.sock'));
  symlinkSync('own', join(root, 'link'));
  lchownSync(join(root, 'link'), STRANGER, STRANGER);
  await assertRefused({ pmSock: join(root, 'link/pm.sock') }, seen, `${root}/link belongs to user ${STRANGER}`);
  chownSync(join(root, 'own/pm.sock'), STRANGER, STRANGER);
  await assertRefused({ pmSock: join(root, 'own/pm.sock') }, seen, `${root}/own/pm.sock belongs to user ${STRANGER}`);
  // A path says nothing about whose daemon is meant, a configuration does.
  chownSync(join(root, 'own'), STRANGER, STRANGER);
  await assertRefused({ pmSock: join(root, 'own/pm.sock'), env }, seen, `${root}/own belongs to user ${STRANGER}`);
  await assertRefused({ env: { ...env, PM_SOCK: join(root, 'own/pm.sock') } }, seen, `${root}/own/pm.sock belongs to user ${STRANGER}`);
  writeFileSync(join(root, 'home/.config/pm/trusted'), `${root}/own\n`);
  const services = sidecar({ pmSock: join(root, 'own/pm.sock'), env });
  services.users.catch(() => {});
  assert.match(await seen.heard, /"method":"connect"|\$metadata/);
});

test('root\'s daemon in the folder of another user is that of its services', asRoot, async (t) => {
  const root = folder(t, { 'own/x': '' });
  const { heard } = await daemon(t, join(root, 'own/pm.sock'));
  chownSync(join(root, 'own'), STRANGER, STRANGER);
  sidecar({ env: { HOME: '/nowhere', PM_SOCK: join(root, 'own/pm.sock') } }).users.catch(() => {});
  assert.match(await heard, /"method":"connect"|\$metadata/);
});

test('a point of a service that somebody else could serve gets nothing: its calls go through the daemon', async (t) => {
  const root = folder(t, { 'open/x': '' });
  const { seen } = await daemon(t, join(root, 'open/svc.sock'));
  chmodSync(join(root, 'open'), 0o777);
  const answers = {
    connect: { [`jsonrpc+unix://${root}/open/svc.sock`]: {} }, proxy: null, $metadata: { name: 'svc', commands: [] }, 'svc.get': 7,
  };
  const server = net.createServer((socket) => {
    createInterface(socket.on('error', () => {})).on('line', (line) => {
      const { id, method } = JSON.parse(line);
      socket.write(`${JSON.stringify({ id, result: answers[method], jsonrpc: '2.0' })}\n`);
    });
    t.after(() => socket.destroy());
  });
  await once(server.listen(join(root, 'pm.sock')), 'listening');
  t.after(() => server.close());
  const service = await sidecar({ pmSock: join(root, 'pm.sock') }).svc;
  assert.equal(await service.dispatch('get'), 7);
  assert.deepEqual(seen, { connections: 0, bytes: 0 });
});

test('a socket that is not there is made by nobody between two looks', async (t) => {
  const root = folder(t, {});
  await assert.rejects(sidecar({ pmSock: join(root, 'no/pm.sock') }).users, { statusCode: 503, hint: 'pm start pm' });
});

test('the channel of a container is judged as well', async (t) => {
  const root = folder(t, { 'open/x': '', 'commands.json': definition({}) });
  const { seen } = await daemon(t, join(root, 'open/channel'));
  chmodSync(join(root, 'open'), 0o777);
  const env = { PM_CHANNEL_FD: undefined, PM_CHANNEL: join(root, 'open/channel') };
  const host = new Host(t, { program: join(root, 'commands.json'), env });
  assert.equal((await host.exited).code, 1);
  assert.match(host.stderr, /cannot start svc: .*pm sent nothing to .*\/open can be written by everybody[^]*\nhint: /);
  assert.equal(seen.connections, 0);
});

// MARK: which daemon is meant

test('in a folder of somebody else their daemon is not meant, unless it is named, trusted or asked by root', asRoot, (t) => {
  const root = folder(t, { 'app/.pm.config.json': {}, 'home/x': '' });
  chmodSync(root, 0o755);
  chownSync(join(root, 'app'), STRANGER, STRANGER);
  const env = { HOME: join(root, 'home'), XDG_RUNTIME_DIR: join(root, 'run') };
  const place = (user, options = {}, more = {}) => {
    const { url, server } = daemonPlace({ cwd: join(root, 'app'), env: { ...env, ...more }, ...options }, user);
    assert.equal(url, `jsonrpc+unix://${root}/app/pm.sock`);
    return server;
  };
  assert.equal(place(1000), 'own');
  assert.equal(place(1000, { configFile: '.' }), 'folderOwner');
  assert.equal(place(0), 'folderOwner');
  assert.equal(place(STRANGER), 'folderOwner');
  const list = join(root, 'home/.config/pm/trusted');
  mkdirSync(join(root, 'home/.config/pm'), { recursive: true });
  writeFileSync(list, `# of ada\n${root}/app\n`);
  for (const path of ['home', 'home/.config', 'home/.config/pm', 'home/.config/pm/trusted']) chownSync(join(root, path), 1000, 1000);
  assert.equal(place(1000), 'folderOwner');
  chmodSync(list, 0o666);
  assert.equal(place(1000), 'own');
});

test('a configuration, or a link to one, that was planted in a folder that anyone may write to is passed over', asRoot, (t) => {
  const root = folder(t, { '.pm.config.json': {}, 'open/.pm.config.json': {}, 'open/below/x': '' });
  const at = (env = {}) => daemonPlace({ cwd: join(root, 'open/below'), env: { HOME: '/nowhere', ...env } }).url;
  const [outer, inner] = [`jsonrpc+unix://${root}/pm.sock`, `jsonrpc+unix://${root}/open/pm.sock`];
  chmodSync(join(root, 'open'), 0o1777);
  assert.equal(at(), inner);
  chownSync(join(root, 'open/.pm.config.json'), STRANGER, STRANGER);
  assert.equal(at(), outer);
  assert.equal(at({ SUDO_UID: `${STRANGER}` }), inner);
});
