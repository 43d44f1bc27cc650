/** The words of inject lists, checked before a service is ready: a misspelt one would be null, or nothing, in each call. */

/** What a call may have beside the words of its container. */
const OF_CALLS = [
  'params', 'options', 'args', 'context', 'signal', 'connection', 'connectionId', 'connectionAsContainer', 'socket', 'process', 'auth', '$param',
  '$config', '$command', '$state', '$container', '$injector', 'pm', 'config', 'pool', 'body', 'rawBody',
  'headers', 'query', 'route', 'request', 'response', 'req', 'res',
];

/**
 * @param {unknown} inject an inject list, or an object
 * @param {string[]} provided words of the container
 * @param {(word: string) => unknown} registered finds what the program has registered by a name
 * @returns {string | undefined} what is wrong with the first wrong word; undefined: nothing is
 */
export function problemOfWords(inject, provided, registered) {
  const known = new Set([...OF_CALLS, ...provided]);
  for (const word of wordsOf(inject)) {
    if (known.has(word) || registered(word) !== undefined) continue;
    const near = [...known].map((name) => ({ name, distance: distance(word, name) })).filter(({ name, distance }) => isNear(word, name, distance));
    near.sort((a, b) => a.distance - b.distance);
    if (near.length > 0) return `nothing is called "${word}" in "inject"; did you mean "${near[0].name}"?`;
    // Other words may be members of a call; no caller can give one that begins so.
    if (word.startsWith('$')) return `nothing is called "${word}" in "inject"; there are ${[...known].filter((name) => name.startsWith('$')).sort().join(', ')}`;
  }
  return undefined;
}

/** The first words of all paths; what is no path is an error of its own. */
function wordsOf(entry) {
  if (typeof entry === 'string') return [entry.split('.')[0]];
  if (Array.isArray(entry)) return entry.flatMap((item) => (Array.isArray(item) ? [String(item[0])] : wordsOf(item)));
  if (entry !== null && typeof entry === 'object') return Object.values(entry).flatMap((item) => (Array.isArray(item) ? [String(item[0])] : wordsOf(item)));
  return [];
}

/** A short word is near only where it is the beginning of the other: "tool" may be meant beside "pool". */
function isNear(word, name, distance) {
  if (word.length >= 5) return distance <= 2;
  return distance === 1 && word.length > 1 && (name.startsWith(word) || word.startsWith(name) || name === `$${word}`);
}

/** Levenshtein's distance. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
