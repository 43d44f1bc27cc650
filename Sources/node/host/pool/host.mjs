/**
 * The host of a pool of workers: the program of a unit that pm runs beside its services. Each connection at its socket
 * is a pm-worker (CSources/pm-worker), which asks for one worker. Its commands are for the daemon.
 *
 * PM_NAME is the name of the pool's unit, descriptor 3 its socket.
 */
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Member } from './member.mjs';
import { Sharing } from './sharing.mjs';

const HOST = fileURLToPath(new URL('../main.mjs', import.meta.url));
/** Looks at the workers in the time of the shortest heartbeat, and the shortest and the longest pause between two, in milliseconds. */
const CHECKS = 4;
const SHORTEST_PAUSE = 250;
const LONGEST_PAUSE = 15_000;
/** Time that terminate() has, in milliseconds. */
const TERMINATE = 5000;
/** Time that an empty pool stays, in milliseconds. */
const IDLE = Number(process.env.PM_POOL_IDLE ?? 30_000);
/** Time that a busy worker has to say how much memory it uses, in milliseconds. */
const ANSWER = 200;

const pool = process.env.PM_NAME ?? 'pool';
const members = new Set();
const sharing = new Sharing(members);
let isStopping = false;
let idleTimer;
let checkTimer;
let pauseLength = LONGEST_PAUSE;
let checkedAt = performance.now();

const server = createServer((socket) => add(new Member(socket, { ordered, ended, lost, message: (member, message) => sharing.receive(member, message) })));
server.listen({ fd: Number(process.env.PM_POOL_FD ?? 3) });
process.on('SIGTERM', stop);
settle();

/** What the daemon asks for its status. */
export const commands = {
  async usage() {
    const running = [...members].filter((member) => member.runs);
    await Promise.race([Promise.all(running.map((member) => member.ping())), pause(ANSWER)]);
    return Object.fromEntries(running.map((member) => [member.name, { cpuMs: Math.round(member.cpu), memoryBytes: member.memory }]));
  },
};

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function check() {
  const now = performance.now();
  // A host that did not run itself (SIGSTOP, a machine asleep) can say nothing of its workers.
  const wasAway = now - checkedAt > 3 * pauseLength;
  checkTimer = undefined;
  for (const member of members) member.check(wasAway);
  planCheck();
}

/** An idle pool wakes up seldom, and one without a heartbeat never. */
function planCheck() {
  const heartbeats = [...members].map((member) => member.order?.heartbeat ?? 0).filter((heartbeat) => heartbeat > 0);
  const pause = Math.min(Math.max(Math.min(...heartbeats) / CHECKS, SHORTEST_PAUSE), LONGEST_PAUSE);
  // One that is due sooner stays: workers that come and go do not put it off.
  if (heartbeats.length === 0 || (checkTimer !== undefined && pause >= pauseLength)) return;
  clearTimeout(checkTimer);
  pauseLength = pause;
  checkedAt = performance.now();
  checkTimer = setTimeout(check, pause).unref();
}

function add(member) {
  members.add(member);
  settle();
}

/** A worker of that name that has not quite ended yet comes first: there are never two. */
function ordered(member) {
  if (![...members].some((other) => other !== member && other.name === member.name && other.runs)) startThread(member);
}

function startThread(member) {
  member.start({ pool, host: HOST });
  planCheck();
}

function ended(member) {
  if (!members.delete(member)) return;
  const next = [...members].find((other) => other.name === member.name && other.isWaiting);
  if (next !== undefined) startThread(next);
  settle();
}

/** The thread is being ended. One that goes on in spite of that can only be ended with the process. */
function lost(member) {
  setTimeout(() => {
    if (!member.runs) return;
    const text = `pm: worker ${member.name} cannot be ended, so its pool ${pool} is started again with all its workers\n`;
    process.stderr.write(text);
    for (const other of members) other.say(text);
    // The others read it before the end; exit() would wait for the thread for ever.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), ANSWER);
  }, TERMINATE).unref();
}

/** An empty pool ends after a while, or at once when it is to stop. */
function settle() {
  clearTimeout(idleTimer);
  if (members.size > 0) return;
  if (isStopping) process.exit();
  if (IDLE > 0) idleTimer = setTimeout(() => process.exit(), IDLE).unref();
}

/** Each worker is stopped by its own pm-worker; the pool waits for the last one. */
function stop() {
  isStopping = true;
  server.close();
  settle();
}
