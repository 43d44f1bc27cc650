/** `extends`: commands taken over from other commands.json files. */
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { readDefinition, registerAll } from './definition.mjs';

/**
 * Adds the commands of every container that a definition extends, and of those that it extends in turn. A command the
 * container has already stays. A file that is not there is reported on stderr and skipped.
 * @param {import('../commands/container.mjs').Container} container
 * @param {{extends: string[]}} definition
 * @param {URL} url of the definition; a relative path in it starts there, a bare name is that of a package
 * @param {Set<string>} [seen] files taken already, so that a circle ends
 */
export async function extend(container, definition, url, seen = new Set([url.href])) {
  const bases = definition.extends ?? [];
  if (!Array.isArray(bases)) throw new Error(`${decodeURIComponent(url.pathname)}: "extends" must be an array`);
  for (const base of bases) {
    const found = resolveBase(String(base), url);
    if (found === undefined) {
      process.stderr.write(`pm: ${decodeURIComponent(url.pathname)} extends ${base}: no such file\n`);
    }
    if (found === undefined || seen.has(found.href)) continue;
    seen.add(found.href);
    const inherited = readDefinition(found);
    registerAll(container, inherited, found);
    await extend(container, inherited, found, seen);
  }
}

function resolveBase(base, url) {
  const beside = new URL(base, url);
  if (beside.protocol === 'file:' && statSync(beside, { throwIfNoEntry: false })?.isFile()) return beside;
  try {
    return pathToFileURL(createRequire(url).resolve(base));
  } catch {
    // Neither a file nor a package: the caller says so.
    return undefined;
  }
}
