/** Starts real hosts, with this test as their daemon at the other end of descriptor 3. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program under test. */
export const HOST = fileURLToPath(new URL('../../../Sources/node/host/main.mjs', import.meta.url));

/**
 * Writes files into a new folder, which is removed after the test.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string | object>} files by relative path; an object is written as JSON
 * @returns {string} the folder
 */
export function folder(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'pm-host-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }
  return root;
}

/**
 * A commands.json whose commands are `<name>.mjs` beside it.
 * @param {Record<string, object>} commands configuration by name; without a general inject all parameters are passed
 * @param {object} [others] further members
 */
export function definition(commands, others = {}) {
  const list = Object.entries(commands).map(([name, config]) => {
    return { name, config: { fs: { path: `${name.replace('$', '')}.mjs` }, ...config } };
  });
  return { name: 'svc', ...others, commands: list };
}

export class Host {
  #text = '';
  #messages = [];
  #waiting = [];
  #nextId = 1;
  /** What the process wrote so far. */
  stdout = '';
  stderr = '';

  /**
   * @param {import('node:test').TestContext} t
   * @param {{program?: string, args?: string[], env?: object, serve?: object, cwd?: string, command?: string[], stdio?: unknown[], channel?: import('node:stream').Duplex}} options
   *   `command`: what is executed instead of the host; `stdio`: descriptors from 4 on; `channel`: where its messages come and go
   */
  constructor(t, { program, args = [], env = {}, serve = {}, cwd, command = [process.execPath, HOST], stdio = [], channel }) {
    const own = { PM_NAME: 'svc', PM_CHANNEL_FD: '3', PATH: process.env.PATH, ...env };
    // Answers to the host's own requests: method -> function of params, whose result or error is sent.
    this.serve = { ready: () => null, ...serve };
    const [executable, ...words] = command;
    this.process = spawn(executable, [...words, ...(program === undefined ? [] : [program]), ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...stdio], env: own, cwd,
    });
    t.after(() => this.process.kill('SIGKILL'));
    this.process.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.process.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.exited = once(this.process, 'close').then(([code, signal]) => ({ code, signal }));
    this.exited.then(() => this.#giveUp());
    this.channel = channel ?? this.process.stdio[3];
    this.channel.setEncoding('utf8').on('data', (text) => this.#read(text));
    // A host that dies with data unread resets the connection: its exit is what tests look at.
    this.channel.on('error', () => {});
  }

  /** Writes bytes or text as they are. */
  write(data) {
    return this.channel.write(data);
  }

  /** Sends a request and resolves with the whole answer. */
  ask(method, params) {
    const id = `t${this.#nextId++}`;
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return this.answer(id);
  }

  /** Resolves with the next message that has this id. */
  answer(id) {
    return this.message((message) => message.id === id && message.method === undefined);
  }

  /** Resolves with the next message for which the condition holds; `raw` is its text. */
  message(condition) {
    const index = this.#messages.findIndex(condition);
    if (index >= 0) return Promise.resolve(this.#messages.splice(index, 1)[0]);
    const promise = new Promise((resolve, reject) => this.#waiting.push({ condition, resolve, reject }));
    // Not every test waits for every answer: those that do see the failure.
    promise.catch(() => {});
    return promise;
  }

  /** Resolves with the parameters of the host's `ready`. */
  async ready() {
    const { params } = await this.message((message) => message.method === 'ready');
    return params[0];
  }

  /** Resolves when stderr holds the text. */
  async says(text) {
    while (!this.stderr.includes(text)) await once(this.process.stderr, 'data');
  }

  /** Resolves when stdout holds the text. */
  async prints(text) {
    while (!this.stdout.includes(text)) await once(this.process.stdout, 'data');
  }

  /**
   * What a service that prints `count N` on SIGUSR2 has counted when it counts no more: it is stuck, or done.
   * @returns {Promise<number>}
   */
  async settledCount() {
    for (let same = 0, last = -1, asked = 1; ; asked++) {
      this.process.kill('SIGUSR2');
      let counts;
      while ((counts = [...this.stdout.matchAll(/count (\d+)\n/g)]).length < asked) await once(this.process.stdout, 'data');
      const count = Number(counts.at(-1)[1]);
      same = count === last ? same + 1 : 0;
      last = count;
      if (same === 10) return count;
    }
  }

  async #reply(id, answer) {
    try {
      const result = await answer();
      const outcome = result === undefined ? { error: null } : { result };
      this.write(`${JSON.stringify({ id, ...outcome, jsonrpc: '2.0' })}\n`);
    } catch (error) {
      this.write(`${JSON.stringify({ id, error: { ...error, message: error.message }, jsonrpc: '2.0' })}\n`);
    }
  }

  #giveUp() {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the host ended; it said: ${this.stderr}`));
  }

  #read(text) {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop();
    for (const line of lines) this.#receiveMessage(Object.assign(JSON.parse(line), { raw: line }));
  }

  #receiveMessage(message) {
    const answer = message.id === undefined ? undefined : this.serve[message.method];
    if (answer) this.#reply(message.id, () => answer(...message.params));
    const index = this.#waiting.findIndex(({ condition }) => condition(message));
    if (index >= 0) this.#waiting.splice(index, 1)[0].resolve(message);
    else this.#messages.push(message);
  }
}

/**
 * A host of a container written for the test, ready to be asked.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string | object>} files the folder's content, with a commands.json
 * @param {object} [options] as of `Host`
 */
export async function hostOf(t, files, options = {}) {
  const root = folder(t, files);
  const host = new Host(t, { program: join(root, 'commands.json'), ...options });
  host.root = root;
  host.metadata = await host.ready();
  return host;
}
