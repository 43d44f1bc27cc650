'use strict';
/**
 * `--require` of this file makes a thread a worker of a pool (host.mjs), or of a process of its own (../thread.mjs): it takes the
 * thread's order before the program begins, and puts what the program may use under `Symbol.for('pm.pool')`.
 */
const { constants } = require('os');
const { getEnvironmentData, isMainThread, parentPort, receiveMessageOnPort, setEnvironmentData } = require('worker_threads');

const KEY = 'pm.pool.thread';

// A thread that the program starts, a process, and Node's own thread for loaders inherit this option, and are no workers of pm.
if (!isMainThread && parentPort && getEnvironmentData(KEY) === undefined) becomeWorker();

function becomeWorker() {
  setEnvironmentData(KEY, true);
  const { port, pool, name, fds, preload } = receiveMessageOnPort(parentPort).message;
  const shared = pool === undefined ? null : new (require('./object.cjs').Pool)(pool, name, port);
  const channel = fds === undefined ? undefined : new (require('./pipes.cjs').PipePair)(...fds);
  globalThis[Symbol.for('pm.pool')] = { pool: shared, channel };
  port.on('message', (message) => {
    if (message.kind === 'ping') port.postMessage({ kind: 'turned', memory: memory() });
    else if (message.kind === 'signal') deliver(message.signal);
    else if (message.kind === 'closed') channel?.destroy();
    else shared?.receive(message);
  });
  port.unref();
  port.postMessage({ kind: 'adopted', thread: thread() });
  if (preload) require('../preload.cjs');
}

/** Bytes of the thread's own heap, and what its objects hold outside of it. */
function memory() {
  const { total_heap_size: heap, malloced_memory: malloced, external_memory: external = 0 } = require('v8').getHeapStatistics();
  return heap + malloced + external;
}

/** The kernel's number of this thread; undefined where /proc does not tell. */
function thread() {
  try {
    return Number(require('fs').readlinkSync('/proc/thread-self').split('/').pop());
  } catch {
    return undefined; // only its processor time is not known then
  }
}

/** Threads get no signals: what a process would do with one is done here. */
function deliver(signal) {
  const number = constants.signals[signal];
  const isHeard = process.emit(signal, signal, number);
  if (parentPort.listenerCount('message') > 0) return parentPort.emit('message', signal);
  if (!isHeard && signal !== 'SIGUSR1') process.exit(128 + number);
}
