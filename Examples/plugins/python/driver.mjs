/**
 * The driver of the runtime `python`: pm starts it for each service, `driver.mjs run --name=web ... PROGRAM -- ARG...`, and takes its output, its signals
 * and its end for those of the service. Docs/Plugins.md has the protocol.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { program, args } = read(process.argv.slice(3));
const channel = process.env.PM_CHANNEL_FD;
const child = spawn(interpreter(), ['-u', program, ...args], {
  // The channel keeps its number, 3, and with it the meaning of PM_CHANNEL_FD.
  stdio: ['ignore', 'inherit', 'inherit', ...(channel === undefined ? [] : [Number(channel)])],
});

// pm signals the whole process tree at the end of a stop; before that the driver passes on what is for the program.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) {
  process.on(signal, () => child.kill(signal));
}
child.on('error', (error) => {
  console.error(`cannot run ${child.spawnfile}: ${error.message}`);
  process.exit(error.code === 'ENOENT' ? 69 : 71);
});
// It ends as the program did, so that the log and `pm status` show the real reason.
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

/** `--name=web --stop-signal=15 ... PROGRAM -- ARG...`: this driver needs none of the options, and leaves out what it does not know. */
function read(words) {
  const start = words.findIndex((word) => !word.startsWith('--'));
  const [program, , ...args] = words.slice(start);
  return { program, args };
}

/** Python of the virtual environment beside the program, else that of the system. */
function interpreter() {
  for (let folder = dirname(program); ; folder = dirname(folder)) {
    for (const name of ['.venv', 'venv']) {
      const path = join(folder, name, 'bin/python');
      if (existsSync(path)) return path;
    }
    if (folder === '/' || folder === process.cwd()) return 'python3';
  }
}
