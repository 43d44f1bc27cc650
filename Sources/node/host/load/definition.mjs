/** Definitions of containers: what a commands.json holds, read, checked and registered. */
import { readFileSync } from 'node:fs';
import { parseJSON } from './json.mjs';

/**
 * Reads a commands.json file.
 * @param {URL} url
 * @returns {{name?: string, commands: {name: string, config?: object}[], extends?: string[]}}
 * @throws naming file, line and column when it is not JSON, and the member when it is not a container
 */
export function readDefinition(url) {
  const { pathname } = url;
  const definition = parseJSON(readFileSync(url, 'utf8'), decodeURIComponent(pathname));
  const problem = problemOf(definition);
  if (problem !== undefined) throw new Error(`${decodeURIComponent(pathname)}: ${problem}`);
  return definition;
}

/**
 * Registers every command of a definition; a path in it is relative to the file it stands in.
 * @param {Container} container
 * @param {{commands: object[]}} definition
 * @param {URL} url of the file
 * @throws naming the file and the command whose path leads nowhere
 */
export function registerAll(container, definition, url) {
  for (const command of definition.commands) {
    if (command.config?.fs?.disabled) continue;
    container.register(command, sourceOf(command, url));
  }
}

/** @returns {URL | undefined} the file of a command, when it says one */
function sourceOf({ name, config }, url) {
  const path = config?.fs?.path;
  if (typeof path !== 'string') return undefined;
  try {
    return new URL(encodePath(path), url);
  } catch (cause) {
    const where = decodeURIComponent(url.pathname);
    throw new Error(`${where}: "config.fs.path" of ${name} is neither a path nor a URL: ${path}`, { cause });
  }
}

/** A path may hold `#`, `?` and `%`, which in a URL mean something else. */
function encodePath(path) {
  return /^[a-z]+:\/\//.test(path) ? path : path.replace(/[%#?]/g, encodeURIComponent);
}

function problemOf(definition) {
  if (!isObject(definition)) return 'must hold an object';
  if (!Array.isArray(definition.commands)) return '"commands" must be an array';
  if (definition.name !== undefined && typeof definition.name !== 'string') return '"name" must be a string';
  for (const [index, command] of definition.commands.entries()) {
    if (typeof command?.name !== 'string') return `"commands[${index}].name" must be a string`;
    const { config } = command;
    if (config !== undefined && !isObject(config)) return `"config" of ${command.name} must be an object`;
  }
  return undefined;
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
