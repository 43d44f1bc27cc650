/** Makes a container out of a program: a commands.json file, a folder of commands, or a module that exports one. */
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Container } from '../commands/container.mjs';
import { readDefinition, registerAll } from './definition.mjs';

/**
 * @param {string} path absolute path of the program
 * @param {string} name of the service, for a container that has none of its own
 * @param {object} provided injectable words, see `Container`
 * @returns {Promise<Container>}
 * @throws with a message for the person who wrote the program: what is wrong, in which file and line
 */
export async function load(path, name, provided) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new Error(`${path}: no such file`);
  if (stat.isDirectory()) return loadFolder(path, name, provided);
  const url = pathToFileURL(path);
  if (path.endsWith('.json')) return loadDefinition(url, name, provided);
  const { loadModule } = await import('./program.mjs');
  return loadModule(url, name, provided);
}

async function loadFolder(path, name, provided) {
  const url = pathToFileURL(`${path}/`);
  const definition = new URL('commands.json', url);
  if (statSync(definition, { throwIfNoEntry: false })?.isFile()) return loadDefinition(definition, name, provided);
  const { discoverFolder } = await import('./folder.mjs');
  const container = new Container(name, provided);
  await discoverFolder(container, url);
  return container;
}

async function loadDefinition(url, name, provided) {
  const definition = readDefinition(url);
  const container = new Container(definition.name ?? name, provided);
  registerAll(container, definition, url);
  if (definition.extends !== undefined) {
    const { extend } = await import('./extends.mjs');
    await extend(container, definition, url);
  }
  return container;
}
