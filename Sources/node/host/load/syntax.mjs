/**
 * The place of a syntax error, as Node shows it when it dies of one: file and line, the source and a caret. Node keeps the place of a mistake in
 * an ES module to itself, so another Node checks the file, and those that it imports. Nothing of them runs there.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Files of a program that are looked at, at most. */
const MOST_FILES = 50;
/** How long Node may take for one, in milliseconds. */
const TIMEOUT = 5000;
const IMPORTS = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.[^'"\n]+)['"]/g;

/**
 * @param {SyntaxError} error
 * @param {URL} source the file that was imported
 * @returns {Promise<string | undefined>} the lines above the message; undefined: they cannot be found
 */
export async function placeOf(error, source) {
  return ofStack(error) ?? (source.protocol === 'file:' ? findIn(source) : undefined);
}

/** A CommonJS module: the place is in front of the stack. */
function ofStack({ stack }) {
  const lines = String(stack).split('\n');
  const end = lines.findIndex((line) => line.startsWith('SyntaxError'));
  return end > 0 ? trimmed(lines.slice(0, end)) : undefined;
}

async function findIn(first) {
  const files = [first];
  for (let index = 0; index < Math.min(files.length, MOST_FILES); index++) {
    const place = await checked(files[index]);
    if (place !== undefined) return place;
    for (const url of imports(files[index])) if (!files.some(({ href }) => href === url.href)) files.push(url);
  }
  return undefined;
}

function imports(file) {
  try {
    return [...readFileSync(file, 'utf8').matchAll(IMPORTS)].map(([, specifier]) => new URL(specifier, file));
  } catch {
    // A file that cannot be read has no syntax error; the importer's message names it.
    return [];
  }
}

function checked(file) {
  const options = { timeout: TIMEOUT, env: { ...process.env, NODE_OPTIONS: '' } };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', fileURLToPath(file)], options, (error, _, stderr) => {
      const lines = stderr.split('\n');
      const end = lines.findIndex((line) => line.startsWith('SyntaxError'));
      resolve(error && end > 0 ? trimmed(lines.slice(0, end)) : undefined);
    });
  });
}

function trimmed(lines) {
  return lines.map((line) => line.replace(/^file:\/\/(?=\/)/, '')).filter((line) => line.trim() !== '').join('\n');
}
