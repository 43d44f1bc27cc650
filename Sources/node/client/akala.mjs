/**
 * The plugin of `akala`, the command line of the reference: `akala pm …` is what `pm …` is. Programs find the daemon here as
 * `remotePm`, too.
 */
import { spawn } from 'node:child_process';
import sidecars from './sidecar.cjs';

/** The daemon. */
export const remotePm = { name: 'pm', dispatch: (command, ...params) => sidecars.daemon().dispatch(command, ...params) };

/**
 * @param {unknown} _config
 * @param {{command: (name: string, description?: string) => {action: (run: Function) => unknown}}} program
 */
export default function (_config, program) {
  program.command('pm', 'process manager').action(() => new Promise((resolve, reject) => {
    const words = process.argv.slice(process.argv.indexOf('pm', 2) + 1);
    const pm = spawn('pm', words, { stdio: 'inherit' });
    pm.once('error', (error) => reject(Object.assign(error, { hint: 'install pm' })));
    pm.once('exit', (code) => {
      process.exitCode = code ?? 70;
      resolve(undefined);
    });
  }));
}
