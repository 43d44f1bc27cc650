/**
 * The host of a plugin: the program of a unit that pm runs beside its services, `host.mjs PACKAGE.JSON MODULE own|reference`. It is a container like that of
 * a service: the plugin's commands and routes, and `$probe` and `$event`, which the daemon calls.
 *
 * The daemon takes nothing from it that the plugin's package.json does not name; nothing is checked here.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultExport, importFile } from '../load/script.mjs';
import { EventQueue } from './events.mjs';
import { Plugin } from './plugin.mjs';
import { Program } from './program.mjs';

const [, , manifestPath, modulePath, form] = process.argv;
const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
/** A variable of the host environment, which main.mjs defines. */
const variable = (name) => process.env[`PM_${name}`];
const options = variable('CONFIG') === undefined ? {} : JSON.parse(variable('CONFIG'));
const name = manifest.name ?? dirname(manifestPath).split('/').pop();
const probes = new Map();
const events = new EventQueue();

/** What main.mjs serves; the commands of the plugin are added when it is loaded. */
export const container = {
  name: variable('NAME'),
  dispatch: (command) => Promise.reject(new Error(`${command} is called through the host`)),
  [Symbol.for('pm.definitions')]: () => [
    { name: '$init', config: { '': { inject: ['pm', '$container'] } }, source: load },
    { name: '$probe', config: { '': { inject: ['params.0'] } }, source: check },
    { name: '$event', config: { '': { inject: ['params.0'] } }, source: (event) => events.add(event) },
  ],
};

/** Loads the plugin, before anything is served. */
async function load(pm, facade) {
  const register = (command, config, inject, run) => facade.register(command, { name: command, config, inject, handler: run });
  const use = defaultExport(await importFile(pathToFileURL(modulePath), `plugin ${name}`));
  if (typeof use !== 'function') throw new Error(`${modulePath} exports no function by default: a plugin is a function that adds things to pm`);
  if (form === 'reference') return loadReference(use, register);
  const about = { name, version: manifest.version, folder: dirname(manifestPath), options };
  return use(new Plugin(about, { register, probes, events, call: (method, ...params) => pm.dispatch(method, ...params) }));
}

/** A plugin of the reference's command line: `(config, program, context)`, or with one parameter `(program)`. */
async function loadReference(use, register) {
  const program = new Program();
  await (use.length === 1 ? use(program) : use({ plugins: [], ...options }, program, { options: {}, args: [], currentWorkingDirectory: process.cwd() }));
  program.register(register);
}

/** Asks one check about a service: `{check, service, pid, options}`. */
async function check({ check: word, ...question }) {
  const run = probes.get(word);
  if (run === undefined) return { passed: false, seen: `the plugin has not added the check ${word}` };
  try {
    const answer = await run(question);
    if (typeof answer === 'object' && answer !== null) return { passed: answer.passed === true, seen: textOf(answer.seen) };
    return { passed: answer === true, seen: textOf(answer) };
  } catch (error) {
    return { passed: false, seen: textOf(error?.message ?? error) };
  }
}

function textOf(value) {
  return typeof value === 'string' ? value.slice(0, 1000) : undefined;
}
