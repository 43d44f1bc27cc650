/** One worker of the pool, from the order of its pm-worker to its end. */
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { constants as system } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, setEnvironmentData, Worker } from 'node:worker_threads';
import { endChildren } from './children.mjs';
import { frame, FrameReader, outputFrames, parseOrder } from './frames.mjs';

const THREAD = fileURLToPath(new URL('./thread.cjs', import.meta.url));
const SIGNALS = new Map(Object.entries(system.signals).map(([name, number]) => [number, name]));
/** Output of one worker that pm-worker has not taken yet, in bytes; then the worker's own streams wait. */
const BACKLOG = 1 << 18;

export class Member {
  #socket;
  #events;
  #worker;
  #port;
  #fds;
  #pinged = false;
  #turnedAt = performance.now();
  #idle = 0;
  #thread;
  #isBegun = false;
  #isEnding = false;
  #hasExited = false;
  #answered;
  /** Ends the wait for the answer to a ping. */
  #answer;
  order;
  memory = 0;

  /**
   * @param {import('node:net').Socket} socket to pm-worker
   * @param {{ordered: (member: Member) => void, ended: (member: Member) => void, lost: (member: Member) => void, message: (member: Member, message: object) => void}} events
   *   `ordered`: what is to run is known; `ended`: its thread has ended, or never was; `lost`: pm-worker has gone, and the thread is being ended
   */
  constructor(socket, events) {
    this.#socket = socket;
    this.#events = events;
    const reader = new FrameReader((type, payload) => this.#receiveFrame(type, payload));
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch {
        socket.destroy(); // no pm-worker sends that
      }
    });
    socket.on('error', () => {}); // 'close' says the same
    socket.on('close', () => this.#left());
  }

  get name() {
    return this.order?.name;
  }

  /** Whether its order is there and its thread was never started. */
  get isWaiting() {
    return this.order !== undefined && !this.#isBegun;
  }

  /** Whether its thread runs. */
  get runs() {
    return this.#worker !== undefined;
  }

  #receiveFrame(type, payload) {
    if (type === 'S' && this.order === undefined) {
      this.order = parseOrder(payload);
      this.#events.ordered(this);
    } else if (type === 'T') {
      // A signal ends what has not begun.
      if (this.isWaiting) this.#finish(128 + payload[0]);
      this.#port?.postMessage({ kind: 'signal', signal: SIGNALS.get(payload[0]) });
    } else if (type === 'C') {
      this.#port?.postMessage({ kind: 'closed' });
    }
  }

  /**
   * Starts the thread.
   * @param {{pool: string, host: string}} settings `host`: the file that runs lists of commands
   */
  start({ pool, host }) {
    this.#isBegun = true;
    if (this.#socket.destroyed) return this.#events.ended(this);
    const { name, program, env } = this.order;
    const { port1, port2 } = new MessageChannel();
    try {
      this.#fds = this.#openPipes();
      this.#worker = this.#makeWorker({ ...env });
    } catch (error) {
      this.say(`pm: cannot start ${name}: ${error?.stack ?? error}\n`);
      this.#closePipes();
      return this.#finish(1);
    }
    this.#port = port1;
    const preload = program !== host;
    this.#worker.postMessage({ port: port2, pool, name, fds: this.#fds, preload }, [port2]);
    port1.on('message', (message) => this.#hear(message));
    this.#observe();
    this.#turnedAt = performance.now();
  }

  #makeWorker(env) {
    const { program, args, heapMiB } = this.order;
    // preload.cjs asks for it, because a thread is not told its program before it begins.
    setEnvironmentData('pm.program', program);
    const options = { argv: args, env, execArgv: ['--require', THREAD], stdout: true, stderr: true, name: this.name };
    if (heapMiB > 0) options.resourceLimits = { maxOldGenerationSizeMb: heapMiB };
    try {
      return new Worker(program, options);
    } catch (error) {
      if (error?.code !== 'ERR_WORKER_INVALID_EXEC_ARGV' || env.NODE_OPTIONS === undefined) throw error;
      this.say(`pm: NODE_OPTIONS has options that hold for a whole process, and not for a worker in a pool: ${env.NODE_OPTIONS}\n`);
      delete env.NODE_OPTIONS;
      return new Worker(program, options);
    }
  }

  /** The worker's ends of the pipes that pm-worker has made; each is an open file of its own. */
  #openPipes() {
    const { pid, pipes: [writes, reads] } = this.order;
    if (writes < 0) return undefined;
    const path = (fd) => `/proc/${pid}/fd/${fd}`;
    const readFd = openSync(path(reads), constants.O_RDONLY | constants.O_NONBLOCK);
    return [readFd, openSync(path(writes), constants.O_WRONLY | constants.O_NONBLOCK)];
  }

  #observe() {
    const worker = this.#worker;
    for (const [stream, type] of [[worker.stdout, 'O'], [worker.stderr, 'E']]) {
      stream.on('data', (chunk) => {
        this.#output(type, chunk);
        if (this.#socket.writableLength <= BACKLOG || this.#hasExited) return;
        stream.pause();
        this.#socket.once('drain', () => stream.resume());
      });
    }
    worker.on('error', (error) => this.say(this.#errorText(error)));
    worker.on('exit', (code) => this.#exited(code));
  }

  #errorText(error) {
    const { heapMiB } = this.order;
    if (error?.code !== 'ERR_WORKER_OUT_OF_MEMORY') return `${error?.stack ?? error}\n`;
    const limit = heapMiB > 0 ? `its limit, ${heapMiB} MiB (limits.memory)` : 'the limit of Node';
    return `pm: ${this.name} is ended: its heap has reached ${limit}\n`;
  }

  #hear(message) {
    switch (message.kind) {
      case 'adopted':
        this.#fds = undefined;
        this.#thread = message.thread;
        return this.#send(frame('R'));
      case 'turned':
        this.#turned();
        this.memory = message.memory;
        this.#answer?.();
        return undefined;
      default:
        return this.#events.message(this, message);
    }
  }

  /** Sends a message to the worker's `pool` object. */
  tell(message, transfer = []) {
    this.#port?.postMessage(message, transfer);
  }

  /** Writes a line to the worker's standard error. */
  say(line) {
    this.#output('E', line);
  }

  #output(type, bytes) {
    for (const one of outputFrames(type, bytes)) this.#send(one);
  }

  #send(bytes) {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  // MARK: life

  #turned() {
    this.#pinged = false;
    this.#turnedAt = performance.now();
  }

  /**
   * Ends a worker that has not turned its event loop for longer than its heartbeat. One whose loop was idle meanwhile is not even asked.
   * @param {boolean} isExcused whether its time begins again
   */
  check(isExcused) {
    if (!this.runs || this.#isEnding) return;
    const { idle } = this.#worker.performance.eventLoopUtilization();
    const hasIdled = idle > this.#idle;
    if (hasIdled) this.#turned();
    if (isExcused) this.#turnedAt = performance.now();
    this.#idle = idle;
    const { heartbeat } = this.order;
    if (heartbeat > 0 && performance.now() - this.#turnedAt > heartbeat) {
      this.say(`pm: ${this.name} is ended: it has not turned its event loop for ${heartbeat / 1000} s (heartbeat)\n`);
      this.#events.lost(this);
      this.terminate();
    } else if (!hasIdled) {
      this.ping();
    }
  }

  /** Resolves when the worker has turned its loop, or has ended; one answer is for all who ask meanwhile. */
  ping() {
    if (!this.runs || this.#pinged) return this.#answered;
    this.#pinged = true;
    this.#answered = new Promise((resolve) => (this.#answer = resolve));
    this.#port.postMessage({ kind: 'ping' });
    return this.#answered;
  }

  /** Processor time of its thread, in milliseconds. */
  get cpu() {
    if (!this.runs) return 0;
    try {
      // The first number: nanoseconds on a processor.
      return Number(readFileSync(`/proc/self/task/${this.#thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    } catch {
      return this.#worker.performance.eventLoopUtilization().active; // a kernel without these numbers
    }
  }

  /** pm-worker has gone: killed, or with pm-init. */
  #left() {
    if (!this.runs) return this.#events.ended(this);
    if (this.#isEnding) return undefined;
    this.#events.lost(this);
    return this.terminate();
  }

  terminate() {
    this.#isEnding = true;
    this.#worker?.terminate();
  }

  async #exited(code) {
    const { stdout, stderr } = this.#worker;
    this.#hasExited = true;
    this.#worker = undefined;
    this.#closePipes();
    this.#port.close();
    this.#answer?.();
    // What it has written last comes now.
    endChildren(this.order.env);
    await Promise.all([stdout, stderr].map((stream) => stream.readableEnded || once(stream.resume(), 'end')));
    this.#finish(code);
  }

  #finish(code) {
    this.#isBegun = true;
    if (!this.#socket.destroyed) this.#socket.end(frame('X', Buffer.from([code & 0xff])));
    this.#events.ended(this);
  }

  #closePipes() {
    for (const fd of this.#fds ?? []) closeSync(fd);
    this.#fds = undefined;
  }
}
