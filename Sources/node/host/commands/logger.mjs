/** `context.logger`: levels by name, as programs of the reference use them. Warnings and errors go to standard error. */
import { format } from 'node:util';

const LEVELS = ['error', 'help', 'data', 'warn', 'info', 'debug', 'prompt', 'verbose', 'input', 'silly'];
const TO_ERRORS = new Set(['error', 'warn']);
const MOST = LEVELS.indexOf('info');

/**
 * @param {string} [namespace] what its lines begin with
 * @returns {Record<string, (...values: unknown[]) => void>} with `use(name)`, a logger for a part, and `isEnabled(level)`; from `debug` on
 *   levels say something only when the environment has DEBUG
 */
export function createLogger(namespace = '') {
  const most = process.env.DEBUG ? LEVELS.length : MOST;
  const logger = {
    name: namespace,
    use: (name) => createLogger(namespace === '' ? name : `${namespace}:${name}`),
    isEnabled: (level) => (typeof level === 'number' ? level : LEVELS.indexOf(level)) <= most,
  };
  for (const [index, level] of LEVELS.entries()) logger[level] = (...values) => index <= most && write(namespace, level, values);
  return logger;
}

function write(namespace, level, values) {
  const stream = TO_ERRORS.has(level) ? process.stderr : process.stdout;
  stream.write(`${namespace === '' ? '' : `${namespace} `}${level}: ${format(...values)}\n`);
}
