/** What this process says of messages that came: nobody writes lines of their own into the service's log, or fills it. */

const LONGEST = 2000;
/** Lines in ten seconds. */
const MOST_LINES = 50;
const PERIOD = 10_000;

let began = -Infinity;
let count = 0;

/**
 * Writes a line to standard error; what others sent is in it cut and escaped, and more than a few lines are counted only.
 * @param {string} text
 */
export function warn(text) {
  const now = performance.now();
  if (now - began > PERIOD) {
    if (count > MOST_LINES) process.stderr.write(`pm: ${count - MOST_LINES} more lines like the ones above were left out\n`);
    [began, count] = [now, 0];
  }
  if (++count <= MOST_LINES) process.stderr.write(`pm: ${shown(text)}\n`);
}

/** Control characters, also of Unicode's second block and those that turn the direction of text, as escapes; a new line is set in. */
export function shown(text) {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, escaped).replace(/\n/g, '\n    ');
}

function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
