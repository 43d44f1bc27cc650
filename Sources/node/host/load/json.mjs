/** Reads JSON that people write, and says where it is wrong. */

/**
 * @param {string} text
 * @param {string} where file name, or other origin, for messages
 * @returns {unknown}
 * @throws SyntaxError `where:line:column: reason`
 */
export function parseJSON(text, where) {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  try {
    return JSON.parse(source);
  } catch (error) {
    const offset = errorOffset(source);
    const before = source.slice(0, offset).split('\n');
    const found = offset < source.length ? `unexpected ${JSON.stringify(source[offset])}` : 'unexpected end';
    const message = `${where}:${before.length}:${before.at(-1).length + 1}: ${found}`;
    throw new SyntaxError(message, { cause: error });
  }
}

/** One token: a mark, a string (both captured), or a number or word that ends where it should. */
const TOKEN = [
  /([{}[\],:])/,
  /("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")/,
  /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/,
];

/**
 * Where a text stops being JSON: Node tells the offset only in some versions, for some mistakes.
 */
function errorOffset(text) {
  const token = new RegExp(`[ \\t\\r\\n]*(?:${TOKEN.map((part) => part.source).join('|')})`, 'y');
  const state = { expected: 'value', open: [] };
  let offset = 0;
  while (offset < text.length) {
    token.lastIndex = offset;
    const match = token.exec(text);
    if (match === null || !accept(state, match)) break;
    offset = token.lastIndex;
  }
  return offset + /^[ \t\r\n]*/.exec(text.slice(offset))[0].length;
}

/** One step of the grammar: whether this token may stand here, and what may follow it. */
function accept(state, [, mark, string]) {
  const inObject = state.open.at(-1) === '{';
  const { expected } = state;
  const next = (follows) => ((state.expected = follows), true);
  if (mark === '{' || mark === '[') {
    if (!expected.startsWith('value')) return false;
    state.open.push(mark);
    return next(mark === '{' ? 'key or end' : 'value or end');
  }
  if (mark === '}' || mark === ']') {
    if (!expected.endsWith('end') || inObject !== (mark === '}')) return false;
    state.open.pop();
    return next(state.open.length > 0 ? 'comma or end' : 'nothing');
  }
  if (mark === ',') return expected === 'comma or end' && next(inObject ? 'key' : 'value');
  if (mark === ':') return expected === 'colon' && next('value');
  if (expected.startsWith('key')) return string !== undefined && next('colon');
  return expected.startsWith('value') && next(state.open.length > 0 ? 'comma or end' : 'nothing');
}
