/**
 * Runs a program in a worker thread: `node thread.mjs FILE [ARG...]`, for containers of type `worker`.
 *
 * The process is the container's alone: a thread could be neither killed nor limited nor outlive the crash of another.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const HOST = fileURLToPath(new URL('./main.mjs', import.meta.url));
const [, , file, ...args] = process.argv;
if (file === undefined) {
  process.stderr.write('usage: thread.mjs FILE [ARG...]\n');
  process.exit(64);
}

const thread = new Worker(file, { argv: args });
thread.on('error', (error) => process.stderr.write(`pm: ${error?.stack ?? error}\n`));
thread.on('exit', (code) => process.exit(code));
// Threads get no signals. The host in the thread knows what to do with one; it ends the thread of any other program.
if (file === HOST) {
  process.once('SIGTERM', () => thread.postMessage('SIGTERM'));
}
