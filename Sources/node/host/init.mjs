/** Runs a container's `$init`, once, before it serves. */

/**
 * `$init` is called through the `cli` trigger: `options` are the arguments the service was started with, beside
 * `name`, `program`, `pmSock` and `config` (the `config` of its mapping); `args` and `params` are the positional ones;
 * `context` holds all of it.
 * @param {import('./container.mjs').Container} container
 * @param {{name: string, program: string, args: string[], config: unknown, pmSock: string | undefined}} service
 * @returns {Promise<void>} rejects with whatever `$init` throws
 */
export async function runInit(container, service) {
  const command = container.command('$init');
  if (command === undefined) return;
  const { parseArguments } = await import('./options.mjs');
  const { options: given, params } = parseArguments(service.args, command.config.cli || undefined);
  const { name, program, pmSock, config } = service;
  const options = { name, program, pmSock, config, ...given, args: params };
  const { argv } = process;
  const { pm } = container.words;
  const context = { args: params, argv, options, config, currentWorkingDirectory: process.cwd(), pm };
  await command.invoke({ params, _trigger: 'cli', options, args: params, context });
}
