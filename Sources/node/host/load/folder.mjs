/**
 * A folder without commands.json: each `*.js|mjs|cjs` file in it is a command, each folder in it a group of commands
 * (`group.command`), and a JSON file of the same name adds to a command's configuration. A JSON file on its own holds
 * command definitions.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseJSON } from './json.mjs';
import { registerAll } from './definition.mjs';
import { defaultExport, importFile } from './script.mjs';

/** The parameters of a function, in parentheses or a single one before an arrow. */
const PARAMETERS = /^(?:async\s+)?(?:function\s*[\w$]*\s*)?\(([^)]*)\)|^(?:async\s+)?([\w$]+)\s*=>/;

const SCRIPT = /\.[mc]?js$/;

/**
 * Registers every command found. The files are imported, to learn from their functions what to inject.
 * @param {import('../commands/container.mjs').Container} container
 * @param {URL} folder ends in a slash
 * @param {string} [prefix] what names in this folder begin with
 */
export async function discoverFolder(container, folder, prefix = '') {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const scripts = entries.filter((entry) => !entry.isDirectory() && SCRIPT.test(entry.name));
  const names = new Set(scripts.map((entry) => entry.name.replace(SCRIPT, '')));
  for (const entry of entries) {
    const url = new URL(encodeURIComponent(entry.name), folder);
    if (isHidden(entry.name)) continue;
    if (entry.isDirectory()) await discoverFolder(container, new URL(`${url.href}/`), `${prefix}${entry.name}.`);
    else if (SCRIPT.test(entry.name)) await registerScript(container, url, prefix + entry.name.replace(SCRIPT, ''));
    else if (isLoneJSON(entry.name, names)) registerLone(container, url, prefix);
  }
}

async function registerScript(container, url, name) {
  const run = defaultExport(await importFile(url, `command ${name}`));
  if (typeof run !== 'function') return;
  const extra = readJSON(new URL(url.href.replace(SCRIPT, '.json'))) ?? {};
  const inject = extra['']?.inject ?? run.$inject ?? injectOf(run);
  const path = decodeURIComponent(url.pathname);
  const config = { ...extra, fs: { path, ...extra.fs, inject }, '': { ...extra[''], inject } };
  container.register({ name, config }, url);
}

function registerLone(container, url, prefix) {
  const content = readJSON(url);
  const commands = Array.isArray(content?.commands) ? content.commands : [content];
  for (const command of commands) {
    if (typeof command?.name !== 'string') continue;
    registerAll(container, { commands: [{ ...command, name: prefix + command.name }] }, url);
  }
}

/**
 * Parameter names that are words of ours are injected as such, the others are taken from the call in their order.
 * Undefined, which means all parameters as they come, where the names cannot be read so simply.
 */
function injectOf(run) {
  const list = PARAMETERS.exec(String(run));
  const names = (list?.[1] ?? list?.[2] ?? '...').split(',').map((name) => name.trim().replace(/\s*=.*$/s, ''));
  if (names.some((name) => !/^[\w$]*$/.test(name))) return undefined;
  let position = 0;
  return names.filter((name) => name !== '').map((name) => (name[0] === '$' ? name : `params.${position++}`));
}

function isHidden(name) {
  return name[0] === '.' || name === 'node_modules' || name === 'package.json' || name === 'package-lock.json';
}

function isLoneJSON(name, scripts) {
  return name.endsWith('.json') && !scripts.has(name.slice(0, -'.json'.length));
}

function readJSON(url) {
  let text;
  try {
    text = readFileSync(url, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  return parseJSON(text, decodeURIComponent(url.pathname));
}
