/** A real pool of workers: its host, and a pm-worker for each worker. */
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
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
    const channel = commands ? {} : { PM_CHANNEL_FD: undefined };
    return new Host(this.t, { command, args, env: { PM_NAME: name, ...channel, ...env } });
  }

  /** What the daemon is told of the workers. */
  async usage() {
    return (await this.host.ask('usage', [])).result;
  }
}
