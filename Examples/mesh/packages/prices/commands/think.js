import { setTimeout as sleep } from 'node:timers/promises';

/** Takes its time, unless nobody wants to know any more; then it is counted, and thrown on. */
export async function think(milliseconds, signal, state) {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    state.cancelled = (state.cancelled ?? 0) + 1;
    throw error;
  }
}
