/** Processes that workers have started: they are children of the host, and go on when a worker ends. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kills the children of this process that carry a marker, with all that descends from them. One that has left its parent belongs to
 * the host for pm-init, which ends it with the host.
 * @param {object} env the environment of the worker, with the marker that pm-init gave its pm-worker
 */
export function endChildren({ PM_MARKER: marker }) {
  if (marker === undefined) return;
  const own = childrenOf('self').filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(`PM_MARKER=${marker}`));
  // All of them are known before the first one is killed: who loses its parent is not found any more.
  for (const pid of own.flatMap(withDescendants)) kill(pid);
}

function withDescendants(pid) {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}

/** A process is listed with the thread that has started it, or with another one when that has ended. */
function childrenOf(pid) {
  return threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' ').filter((child) => child !== ''));
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended
  }
}

function kill(pid) {
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It has ended by itself, or belongs to another user.
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended, or the kernel does not list children
  }
}
