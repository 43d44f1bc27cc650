/**
 * Runs a service by the host of the reference (`"host": "reference"`): the `@akala/pm` that the service has installed. Its host
 * reads its command line, and speaks with pm by Node's IPC channel.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where the builds of `@akala/pm` have the program that it starts for each service. */
const PROGRAMS = ['dist/esm/fork.js', 'dist/cjs/fork.js', 'dist/fork.js'];

/** The host in the nearest `node_modules` with `@akala/pm`, from a file or folder upwards; undefined when there is none. */
function hostFor(path) {
  for (let at = path; ; at = dirname(at)) {
    const found = PROGRAMS.map((program) => join(at, 'node_modules/@akala/pm', program)).find((file) => existsSync(file));
    if (found !== undefined || at === dirname(at)) return found;
  }
}

const [node, , program, name, ...words] = process.argv;
const host = [realpathSync(program), program, process.cwd()].map(hostFor).find((file) => file !== undefined);
if (host === undefined) {
  process.stderr.write(`pm: cannot run ${program} by the host of the reference: no @akala/pm with ${PROGRAMS[0]} is installed for it\n`
    + 'hint: npm install @akala/pm in its folder, or take "host": "reference" out of .pm.config.json\n');
  process.exit(1);
}
process.argv = [node, host, 'pm', 'run', `--program=${pathToFileURL(program).href}`, ...words, `--name=${name}`, '--pm-sock', 'ipc://'];
await import(pathToFileURL(host).href);
