#!/usr/bin/env node
/**
 * Plays three first hours through with the real programs, and prints the steps and seconds of each: a step is one line that a
 * person types. Without typing and reading the seconds are the machine's alone.
 *
 *   node Benchmarks/journeys.mjs [--json] [PM]      PM is the program, .build/stage/bin/pm without it
 *
 * Ends with 1 when a step does not do what it is for.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const words = process.argv.slice(2);
const isJSON = words.includes('--json');
const program = words.find((word) => !word.startsWith('--'))
  ?? fileURLToPath(new URL('../.build/stage/bin/pm', import.meta.url));
const isRoot = process.getuid() === 0;

const APP = `
const http = require('node:http');
http.createServer((request, response) => response.end('Hello!')).listen(0, '127.0.0.1', () => console.log('listening'));
`;

/** A machine of its own for one journey: a home, and a folder in which the person works. */
class Machine {
  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'pm-journey-'));
    this.folder = join(this.root, 'work');
    // The service of the administrator runs as another user.
    execFileSync('chmod', ['755', this.root]);
    for (const name of ['home', 'run', 'work']) mkdirSync(join(this.root, name), { mode: name === 'work' ? 0o755 : 0o700 });
    const { PATH, LANG } = process.env;
    this.environment = {
      PATH: dirname(program) + delimiter + PATH, LANG: LANG ?? 'C.UTF-8', HOME: join(this.root, 'home'),
      XDG_RUNTIME_DIR: join(this.root, 'run'), PWD: this.folder,
    };
  }

  write(name, text) {
    writeFileSync(join(this.folder, name), text, { mode: 0o644 });
  }

  /** A line runs in a shell of its own: the folder is kept here. */
  enter(name) {
    this.folder = join(this.folder, name);
    this.environment.PWD = this.folder;
    return true;
  }

  /** Types a line; returns what it printed. */
  type(line) {
    const { status, stdout, stderr, error } = spawnSync('/bin/sh', ['-c', line], {
      cwd: this.folder, env: this.environment, encoding: 'utf8', timeout: 60_000,
    });
    if (status !== 0) throw new Error(`${line}: exit code ${status}${error ? `, ${error.message}` : ''}\n${stdout}${stderr}`);
    return stdout + stderr;
  }

  remove() {
    spawnSync('/bin/sh', ['-c', 'pm stop --all'], { cwd: this.folder, env: this.environment });
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A step shows that it has worked by its output, or by what is true afterwards. */
const step = (line, shows, isTrue) => ({ line, shows, isTrue });

const pidOf = (machine, name) => Number(machine.type(`pm pid ${name}`));

/** True if the service has the rights of nobody and its limit of open files. */
function isConfined(machine) {
  const pid = pidOf(machine, 'app');
  const uid = isRoot ? Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })) : process.getuid();
  const [, real] = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const [, files] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  return Number(real) === uid && Number(files) === 512;
}

const developer = {
  name: 'a Node developer who knows PM2',
  goal: 'app.js supervised, logged, and back after a boot',
  prepare: (machine) => machine.write('app.js', APP),
  steps: [
    step('pm start ./app.js --autostart', /app is up/),
    step('pm status', /1 service: 1 ready/),
    step('pm log app', /listening/),
    { line: 'pm stop --all', shows: /pm stopped/, isMachine: true },
    // The unit of systemd runs it at each boot.
    step('pm start pm --wait', /./, (machine) => pidOf(machine, 'app') > 0),
  ],
};

const administrator = {
  name: 'an administrator',
  goal: 'app.js as a service with its own user and limits',
  prepare: (machine) => machine.write('app.js', APP),
  steps: [
    step('pm start ./app.js --autostart', /app is up/),
    // Only root starts services of other users.
    ...(isRoot ? [step('pm set app user nobody', /user = "nobody"/)] : []),
    step('pm set app limits.nofile 512', /512/),
    step('pm set app limits.memory 256M', /256M/),
    step('pm restart app --wait', /app is up/, isConfined),
    step('pm explain app', /256M|268435456/),
  ],
};

const author = {
  name: 'an author of a service with commands',
  goal: 'a command of the own service answers',
  prepare: () => {},
  steps: [
    step('pm init greeter --yes', /greeter/, (machine) => existsSync(join(machine.folder, 'greeter/commands.json'))),
    step('cd greeter', /^$/, (machine) => machine.enter('greeter')),
    step('pm start pm && pm start greeter -w', /greeter is up/),
    step('pm greeter hello Ada', /Hello, Ada!/),
  ],
};

/** Plays a journey; the result has each step with its seconds. */
function play({ name, goal, prepare, steps }) {
  const machine = new Machine();
  try {
    prepare(machine);
    const played = steps.map((one) => ({ ...one, seconds: perform(one, machine) })).filter(({ isMachine }) => !isMachine);
    const seconds = played.reduce((sum, one) => sum + one.seconds, 0);
    return { name, goal, steps: played.map(({ line, seconds: own }) => ({ line, seconds: own })), seconds };
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  } finally {
    machine.remove();
  }
}

function perform({ line, shows, isTrue }, machine) {
  const begin = process.hrtime.bigint();
  const text = machine.type(line);
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  if (!shows.test(text)) throw new Error(`${line}: ${shows} is not in its output:\n${text}`);
  if (isTrue?.(machine) === false) throw new Error(`${line}: it has not done what it is for`);
  return Math.round(seconds * 100) / 100;
}

function render(results) {
  for (const { name, goal, steps, seconds } of results) {
    console.log(`${name}: ${goal}\n  ${steps.length} steps, ${seconds.toFixed(2)} s`);
    for (const one of steps) console.log(`  ${one.seconds.toFixed(2)} s  ${one.line}`);
  }
}

try {
  const results = [developer, administrator, author].map(play);
  if (isJSON) console.log(JSON.stringify(results));
  else render(results);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
