/** Errors as the log of a service shows them: with the frames of its own files, and without those of Node and of this host. */
import { fileURLToPath } from 'node:url';

const HOST = fileURLToPath(new URL('..', import.meta.url));

/** Causes that are shown, at most: an error may be its own. */
const MOST_CAUSES = 4;

/**
 * @param {unknown} thrown
 * @returns {string} message and frames, and what caused it
 */
export function textOf(thrown) {
  if (!(thrown instanceof Error)) return String(thrown?.stack ?? thrown);
  if (thrown.all !== undefined) return thrown.all.map(textOf).join('\n');
  if (thrown.place !== undefined) return `${thrown.message}\n${thrown.place}\n${thrown.cause ?? ''}`;
  const texts = [];
  for (let error = thrown; error instanceof Error && texts.length < MOST_CAUSES; error = error.cause) {
    const text = own(error);
    texts.push(texts.length === 0 ? text : `  caused by ${text}`);
    // Without a frame of the program it is one of ours, and its message has the cause.
    if (!text.includes('\n    at ')) break;
  }
  return texts.join('\n');
}

function own(error) {
  return String(error.stack).split('\n').filter((line) => !isInside(line)).join('\n');
}

function isInside(line) {
  if (!/^\s+at /.test(line)) return false;
  return /\(node:|at (?:async )?node:|at async Promise\./.test(line) || line.includes(HOST);
}
