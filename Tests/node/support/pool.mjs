/** A real pool of workers: its host, and a pm-worker for each worker. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, renameSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { folder, Host, HOST } from './host.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const STAGE = process.env.PM_TEST_STAGE ?? join(ROOT, '.build/stage');
const PM_WORKER = join(STAGE, 'lib/pm/pm-worker');
const POOL = fileURLToPath(new URL('../../../Sources/node/host/pool/host.mjs', import.meta.url));

export class Pool {
  /**
   * Starts the host of a pool, ready for workers.
   * @param {import('node:test').TestContext} t
   * @param {Record<string, string | object>} files of the folder that the programs are in
   * @param {object} [env] of the host
   */
  static async start(t, files, env = {}) {
    const pool = new Pool();
    pool.t = t;
    pool.root = folder(t, files);
    pool.path = join(pool.root, 'pool.sock');
    const server = createServer().listen(`${pool.path}.new`);
    await once(server, 'listening');
    // The host's alone from now on: closing it here removes a file that is not there any more.
    renameSync(`${pool.path}.new`, pool.path);
    pool.host = new Host(t, { program: POOL, env: { PM_NAME: 'pm-pool', PM_POOL_FD: '4', ...env }, cwd: pool.root, stdio: [{ fd: server._handle.fd }] });
    server.close();
    await pool.host.ready();
    return pool;
  }

  /**
   * Starts a worker of the pool.
   * @param {string} name of the service
   * @param {string} program a file in the folder
   * @param {{heapMiB?: number, heartbeat?: number, args?: string[], env?: object, commands?: boolean}} [options] `commands`: it is a list of commands
   */
  worker(name, program, { heapMiB = 0, heartbeat = 0, args = [], env = {}, commands = program.endsWith('commands.json') } = {}) {
    const host = commands ? [HOST] : [];
    const command = [PM_WORKER, this.path, name, `${heapMiB}`, `${heartbeat}`, ...host, join(this.root, program)];
    if (!commands) return new Host(this.t, { command, args, env: { PM_NAME: name, PM_CHANNEL_FD: undefined, ...env } });
    const { theirs, channel } = this.#pipes();
    const worker = new Host(this.t, { command, args, env: { PM_NAME: name, ...env }, stdio: theirs, channel });
    for (const fd of theirs) closeSync(fd);
    return worker;
  }

  /** Two pipes, as pmd makes them for a worker: Node has no way to make others than those with a name. */
  #pipes() {
    const [up, down] = ['up', 'down'].map((name) => join(this.root, `${name}${(this.count = (this.count ?? 0) + 1)}`));
    execFileSync('mkfifo', [up, down]);
    const reading = openSync(up, constants.O_RDONLY | constants.O_NONBLOCK);
    const theirs = [openSync(up, constants.O_WRONLY), openSync(down, constants.O_RDONLY | constants.O_NONBLOCK)];
    const writing = openSync(down, constants.O_WRONLY);
    const [readable, writable] = [new Socket({ fd: reading, writable: false }), new Socket({ fd: writing, readable: false })];
    return { theirs, channel: Duplex.from({ readable, writable }) };
  }

  /** What the daemon is told of the workers. */
  async usage() {
    return (await this.host.ask('usage', [])).result;
  }
}
