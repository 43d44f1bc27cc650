/**
 * Runs the commands of the documents that users follow. A block marked `sh` is run by bash; a block marked `text` behind it is what
 * it writes. Blocks marked `console` need root, systemd or a network, and are not run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/net.mjs';

const ROOT = process.env.PM_TEST_ROOT ?? fileURLToPath(new URL('../../../', import.meta.url));
const BIN = join(process.env.PM_TEST_STAGE ?? join(ROOT, '.build/stage'), 'bin');
/** The longest time for one block, in milliseconds: it guards against a hang and times nothing. */
const LIMIT = 120_000;
/** A root's daemon of the machine would get the services of the documents. */
const SKIP = isWritable('/etc/pm/.pm.config.json') && 'pm is installed here, and its configuration would be changed';

/** The fenced blocks of a document: their section, language, needed programs, text, and line. */
function blocks(text) {
  const found = [];
  let [section, open] = ['', undefined];
  text.split('\n').forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence && open) open = undefined;
    else if (fence) {
      const [language, ...programs] = fence[1].split(' ').filter(Boolean);
      found.push((open = { section, language, programs, lines: [], line: index + 1 }));
    } else if (open) open.lines.push(line);
    else if (line.startsWith('## ')) section = line.slice(3);
  });
  return found;
}

/** The blocks to run, each with what it shall write; undefined where the document does not show it. */
function commands(all) {
  return all.flatMap((block, index) => {
    if (block.language !== 'sh') return [];
    const next = all[index + 1];
    return [{ ...block, expected: next?.language === 'text' ? next.lines : undefined }];
  });
}

/** True if lines are as a document shows them: `...` is any text, on a line of its own any lines; blanks count once. */
function matches(lines, shown) {
  const pattern = shown.map((line) => {
    if (line.trim() === '...') return '(?:.*\\n)*?';
    return `${squeezed(line).split('...').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}\\n`;
  });
  return new RegExp(`^${pattern.join('')}$`).test(lines.map((line) => `${squeezed(line)}\n`).join(''));
}

const squeezed = (line) => line.replace(/[ \t]+/g, ' ').trimEnd();

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** True if PATH has the program. */
const has = (program) => process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, program)));

/** A machine of its own for a document: a home, a runtime directory and a working folder, without a trace afterwards. */
class Reader {
  #ports = new Map();

  constructor(t) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'pm-docs-')));
    this.folder = join(this.root, 'work');
    for (const folder of ['home', 'run', 'work', 'tmp']) mkdirSync(join(this.root, folder), { mode: 0o700 });
    this.env = {
      PATH: `${BIN}:${process.env.PATH}`, HOME: join(this.root, 'home'), XDG_RUNTIME_DIR: join(this.root, 'run'),
      TMPDIR: join(this.root, 'tmp'), LANG: 'C.UTF-8', TERM: 'dumb',
    };
    for (const name of ['LD_LIBRARY_PATH', 'PM_SCRIPT_MARK']) if (process.env[name]) this.env[name] = process.env[name];
    t.after(() => this.leave());
  }

  /** Runs a block where the one before ended; a command that fails ends it. */
  async run({ lines, expected, line }, document) {
    const at = `${document}:${line}`;
    const end = join(this.root, 'end');
    const script = `trap 'pwd >${end}' EXIT\n${await this.local(lines.join('\n'))}\n`;
    const { status, stdout, error } = spawnSync('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], {
      cwd: this.folder, env: this.env, encoding: 'utf8', timeout: LIMIT, stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.equal(error, undefined, `${at}: ${error}\n${stdout}`);
    assert.equal(status, 0, `${at} ends with ${status}:\n${stdout}`);
    this.folder = readFileSync(end, 'utf8').trim();
    if (expected === undefined) return;
    const shown = (await this.local(expected.join('\n'))).split('\n');
    const written = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
    assert.ok(matches(written, shown), `${at} writes\n${stdout}\nbut the document shows\n${shown.join('\n')}`);
  }

  /** The text with free ports for those of the document. */
  async local(text) {
    const named = [...new Set(text.match(/\b30\d\d\b/g))];
    for (const port of named) if (!this.#ports.has(port)) this.#ports.set(port, await freePort());
    return text.replace(/\b30\d\d\b/g, (port) => this.#ports.get(port));
  }

  /** The programs that still run in its folders, with their command lines. */
  processes() {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        const place = readlinkSync(`/proc/${pid}/cwd`);
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return `${place} ${words}`.includes(this.root) ? [{ pid: Number(pid), words }] : [];
      } catch {
        // It has ended, or belongs to another user.
        return [];
      }
    });
  }

  /** Ends what a failed block has left behind, and removes the files. */
  leave() {
    for (const name of readdirSync(this.root, { recursive: true }).filter((file) => file.endsWith('.pm.config.json'))) {
      spawnSync(join(BIN, 'pm'), ['stop', '--all', '--now', '--config', dirname(join(this.root, name))], { env: this.env, timeout: LIMIT });
    }
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Runs blocks in their order; at the end none of their programs runs. */
async function follow(t, document, list) {
  const reader = new Reader(t);
  for (const block of list) await reader.run(block, document);
  // pm-init is the last to end, a moment after pm has answered.
  const limit = Date.now() + LIMIT;
  while (reader.processes().length > 0 && Date.now() < limit) await turn();
  assert.deepEqual(reader.processes(), [], `${document} leaves programs running`);
}

const read = (document) => blocks(readFileSync(join(ROOT, document), 'utf8'));

test('a reader of Docs/GettingStarted.md sees what it shows', { skip: SKIP }, async (t) => {
  const list = commands(read('Docs/GettingStarted.md'));
  assert.ok(list.length >= 8, 'it has commands');
  await follow(t, 'Docs/GettingStarted.md', list);
});

const cookbook = commands(read('Docs/Cookbook.md'));

for (const section of new Set(cookbook.map((block) => block.section))) {
  const list = cookbook.filter((block) => block.section === section);
  const missing = list.flatMap(({ programs }) => programs).filter((program) => !has(program));
  const skip = SKIP || (missing.length > 0 && `there is no ${missing.join(', ')} here`);
  test(`the recipe "${section}" of Docs/Cookbook.md works`, { skip }, (t) => follow(t, 'Docs/Cookbook.md', list));
}

test('documents mark each block with a language that says whether it is run', () => {
  for (const document of ['Docs/GettingStarted.md', 'Docs/Cookbook.md', 'Docs/Troubleshooting.md', 'Docs/ComingFrom.md']) {
    const list = read(document);
    for (const { language, line } of list) {
      assert.ok(['sh', 'text', 'console', 'json', 'js', 'ini', 'nginx', 'yaml', 'dockerfile'].includes(language), `${document}:${line}: ${language}`);
    }
  }
});

test('examples of the configuration in documents for users have no error and no warning', async (t) => {
  const reader = new Reader(t);
  for (const document of ['Docs/ComingFrom.md', 'Docs/Troubleshooting.md', 'Docs/Cookbook.md']) {
    for (const { language, lines, line } of read(document)) {
      if (language !== 'json') continue;
      const text = lines.join('\n');
      const script = ["cat >.pm.config.json <<'END'", text, 'END', 'pm check --strict .pm.config.json', 'rm .pm.config.json'];
      await reader.run({ lines: script, line }, document);
    }
  }
});

/** What users do wrong in a folder of its own, the exit code, and words that the daemon's user reads and looks up. */
const FAULTS = [
  ['pm status', 69, 'pm is not running: there is no .pm.config.json here or above, and none of the user or the system'],
  ['pm start nosuch.js', 66, 'there is no service and no file nosuch.js'],
  ['pm start --no-such-option x', 64],
  ["echo '{}' >ecosystem.config.js; pm start ecosystem.config.js", 65, 'exports no object with "apps"'],
  ['mkdir other; touch app.js other/app.js; pm start ./app.js; pm start other/app.js', 73, 'there is a service app already, which runs'],
  ['pm start pm; pm status api', 66, 'there is no service api'],
  ['touch api.js; pm start ./api.js; pm scale api 2', 65, 'api is not stateless: only one instance of it may run'],
  ["touch data.txt; pm start pm; pm map data ./data.txt; pm start data", 70, 'is neither a script nor a program (chmod +x?)'],
  ['touch app.js; pm start ./app.js --env-file none.env', 70, 'cannot read the environment file'],
  ["touch app.js; echo DB_PASSWORD >secrets.env; pm start ./app.js --env-file secrets.env", 70, "secrets.env:1:12: expected '='"],
  ['touch app.js; pm start ./app.js; pm set app env.PATH /nonexistent; pm start app', 70, 'exec node: No such file or directory'],
  ['touch app.js; pm start ./app.js; pm is-active app', 1],
  [`echo 'setInterval(() => {}, 1e6)' >api.js; pm start ./api.js; pm set api ready '{"tcp": 3000, "deadline": "300ms"}'; pm restart api --wait`,
    75, 'connection refused at 127.0.0.1:3000'],
  ["echo '{' >.pm.config.json; pm start pm", 65, 'expected a'],
  ["echo '{}' >.pm.config.json; chmod 777 .; pm start pm", 77, 'can be written by everybody'],
];

for (const [script, code, words] of FAULTS) {
  const skip = existsSync('/etc/pm/.pm.config.json') && 'pm is installed here';
  test(`Docs/Troubleshooting.md has exit code ${code}: ${words ?? script}`, { skip }, async (t) => {
    const reader = new Reader(t);
    const text = readFileSync(join(ROOT, 'Docs/Troubleshooting.md'), 'utf8');
    const lines = ['set +e', script, 'echo "exit code $?"', '[ ! -e .pm.config.json ] || pm stop --all --config .pm.config.json || true'];
    await reader.run({ lines, expected: ['...', ...(words ? [`...${words}...`, '...'] : []), `exit code ${code}`, '...'], line: 1 }, script);
    if (words) assert.ok(text.includes(words), `it says nothing of "${words}"`);
    assert.match(text, new RegExp(`^\\| ${code} \\| `, 'm'));
  });
}

test('a document that shows something else than is written is found', () => {
  assert.ok(matches(['app is up, pid 12', 'a', 'b'], ['app is  up, pid ...', '...']));
  assert.ok(matches(['b'], ['...', 'b']));
  assert.ok(!matches(['app is down'], ['app is up']));
  assert.ok(!matches(['app is up', 'more'], ['app is up']));
  assert.ok(!matches([], ['app is up']));
  const [first, second] = commands(blocks('## a\n```sh npm\necho 1\n```\n\n```text\n1\n```\n```sh\nx\n```\n```console\n$ y\n```\n'));
  assert.deepEqual([first.section, first.programs, first.lines, first.expected], ['a', ['npm'], ['echo 1'], ['1']]);
  assert.deepEqual([second.lines, second.expected], [['x'], undefined]);
});

test('a block that fails, or leaves a program behind, fails its test', { skip: SKIP }, async (t) => {
  const reader = new Reader(t);
  await assert.rejects(reader.run({ lines: ['false', 'true'], line: 1 }, 'a.md'), /a\.md:1 ends with 1/);
  await assert.rejects(reader.run({ lines: ['echo 1'], expected: ['2'], line: 1 }, 'a.md'), /the document shows\n2/);
  await reader.run({ lines: ["echo 'setInterval(() => {}, 1e6)' >app.js", 'pm start ./app.js'], line: 1 }, 'a.md');
  assert.ok(reader.processes().length > 0);
});
