/**
 * Runs a program in a worker thread of a process of its own: `node thread.mjs FILE [ARG...]`, for containers of type `worker`
 * that are not in a pool. The thread is made as those of a pool are (pool/thread.cjs), without a pool.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';

const THREAD = fileURLToPath(new URL('./pool/thread.cjs', import.meta.url));
/** SIGUSR1 is Node's own. */
const FORWARDED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGTERM'];
const [, , file, ...args] = process.argv;
if (file === undefined) {
  process.stderr.write('usage: thread.mjs FILE [ARG...]\n');
  process.exit(64);
}

const { port1: port, port2 } = new MessageChannel();
const thread = new Worker(file, { argv: args, execArgv: [...process.execArgv, '--require', THREAD] });
thread.postMessage({ port: port2 }, [port2]);
port.on('message', () => {});
port.unref();
thread.on('error', (error) => process.stderr.write(`pm: ${error?.stack ?? error}\n`));
thread.on('exit', (code) => process.exit(code));
// Threads get no signals.
for (const signal of FORWARDED) process.on(signal, () => port.postMessage({ kind: 'signal', signal }));
