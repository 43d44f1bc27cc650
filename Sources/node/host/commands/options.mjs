/** Command-line arguments of a service, read by the `cli` configuration of a command. */

/**
 * @typedef {{aliases?: string[], needsValue?: boolean, caseSensitive?: boolean, default?: unknown,
 *   positional?: boolean, position?: number}} OptionSpec
 */

/**
 * Reads `--name value`, `--name=value`, `-n value`, flags, and `--` after which everything is positional. An option
 * that the configuration does not know takes the next argument as its value unless that begins with a dash.
 * @param {string[]} argv
 * @param {{usage?: string, options?: Record<string, OptionSpec>}} [cli]
 * @returns {{options: Record<string, unknown>, params: string[]}} values are strings, flags true
 * @throws when an option that needs a value has none
 */
export function parseArguments(argv, cli = {}) {
  const specs = cli.options ?? {};
  const find = finder(specs);
  const options = {};
  const params = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index];
    if (argument === '--') {
      params.push(...argv.slice(index + 1));
      break;
    }
    if (!/^-[^\d]/.test(argument)) params.push(argument);
    else index += readOption(argument, argv[index + 1], find, options);
  }
  applyPositional(options, params, cli);
  for (const [name, spec] of Object.entries(specs)) {
    if (options[name] === undefined && spec.default !== undefined) options[name] = spec.default;
  }
  return { options, params };
}

/** @returns {number} how many of the arguments after it the option took */
function readOption(argument, next, find, options) {
  const [, key, value] = /^-{1,2}([^=]*)(?:=(.*))?$/s.exec(argument);
  const [name, spec] = find(key) ?? [key, undefined];
  if (value !== undefined) {
    options[name] = value;
    return 0;
  }
  const takes = spec ? spec.needsValue === true : next !== undefined && next[0] !== '-';
  if (takes && next === undefined) throw new Error(`option ${argument} needs a value`);
  options[name] = takes ? next : true;
  return takes ? 1 : 0;
}

/** An option is known by its name and aliases, in any case of letters unless it says otherwise. */
function finder(specs) {
  const exact = new Map();
  const folded = new Map();
  for (const [name, spec] of Object.entries(specs)) {
    for (const spelling of [name, ...(spec.aliases ?? [])]) {
      const key = spelling.replace(/^-+/, '');
      exact.set(key, [name, spec]);
      if (!spec.caseSensitive) folded.set(key.toLowerCase(), [name, spec]);
    }
  }
  return (key) => exact.get(key) ?? folded.get(key.toLowerCase());
}

/** Names that the usage (`cmd <host> [port] [...rest]`) or an option's position gives to positional arguments. */
function applyPositional(options, params, { usage = '', options: specs = {} }) {
  const names = [...usage.matchAll(/[<[](\.\.\.)?([^>\]]+)[>\]]/g)];
  for (const [index, [, rest, name]] of names.entries()) {
    if (options[name] === undefined) options[name] = rest ? params.slice(index) : params[index];
  }
  for (const [name, { positional, position = 0 }] of Object.entries(specs)) {
    if (positional && options[name] === undefined) options[name] = params[position];
  }
}
