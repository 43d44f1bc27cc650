/** Runs a container's `$init`, once, before it serves. */
import { join } from 'node:path';

/**
 * `$init` is called through the `cli` trigger: `options` are the arguments the service was started with, beside
 * `name`, `program`, `pmSock` and `config` (the `config` of its mapping); `args` and `params` are the positional ones;
 * `context` holds all of it, with `abort`, `logger` and `state`, made when they are asked for.
 * @param {import('../commands/container.mjs').Container} container
 * @param {{name: string, program: string, args: string[], config: unknown, pmSock: string | undefined}} service
 * @param {() => AbortController} abort makes the controller that is aborted when the service stops
 * @returns {Promise<void>} rejects with whatever `$init` throws
 */
export async function runInit(container, service, abort) {
  const command = container.command('$init');
  if (command === undefined) return;
  const [{ parseArguments }, { createLogger }, { openConfiguration }] = await Promise.all([
    import('../commands/options.mjs'), import('../commands/logger.mjs'), import('./configuration.mjs'),
  ]);
  const { options: given, params } = parseArguments(service.args, command.config.cli || undefined);
  const { name, program, pmSock, config } = service;
  const options = { name, program, pmSock, config, ...given, args: params };
  const { argv } = process;
  const { pm } = container.words;
  const context = { args: params, argv, options, config, currentWorkingDirectory: process.cwd(), pm, commandPath: '$init' };
  lazy(context, 'abort', abort);
  lazy(context, 'logger', () => createLogger(name));
  lazy(context, 'state', () => openConfiguration(config, join(process.cwd(), '.pm.state', `${fileName(name)}.json`)));
  await container.run(command, { params, _trigger: 'cli', options, args: params, context });
}

/** The name of a service as that of a file. */
function fileName(name) {
  return encodeURIComponent(name).replace(/^\./, '%2e');
}

function lazy(object, key, make) {
  let value;
  Object.defineProperty(object, key, { enumerable: true, configurable: true, get: () => (value ??= make()) });
}
