import assert from 'node:assert/strict';
import test from 'node:test';
import { parseArguments } from '../../../Sources/node/host/commands/options.mjs';

const CLI = {
  options: {
    tcpPort: { aliases: ['tcp-port', 'p'], needsValue: true },
    wait: { aliases: ['-w'], needsValue: false },
    Case: { caseSensitive: true, needsValue: true },
    level: { default: 'info', needsValue: true },
  },
};

/** [arguments, cli configuration, options, positional] */
const CASES = [
  [['--k', 'v', '--k2=v2', '--flag'], {}, { k: 'v', k2: 'v2', flag: true }, []],
  [['--flag', '--k', 'v', 'pos', '-5', '-'], {}, { flag: true, k: 'v' }, ['pos', '-5', '-']],
  [['--k=', '--u=a=b'], {}, { k: '', u: 'a=b' }, []],
  [['--a', '1', '--', '--b', 'c'], {}, { a: '1' }, ['--b', 'c']],
  [['--tcp-port', '80', 'x'], CLI, { tcpPort: '80', level: 'info' }, ['x']],
  [['-p', '-1', '-w', 'x'], CLI, { tcpPort: '-1', wait: true, level: 'info' }, ['x']],
  [['--TCPPORT=81', '--level', 'debug'], CLI, { tcpPort: '81', level: 'debug' }, []],
  [['--case', '1', '--Case', '2'], CLI, { case: '1', Case: '2', level: 'info' }, []],
  [['h', '80', 'r1', 'r2'], { usage: '$init <host> [port] [...rest]' }, { host: 'h', port: '80', rest: ['r1', 'r2'] }, ['h', '80', 'r1', 'r2']],
  [['h'], { options: { target: { positional: true, position: 0 } } }, { target: 'h' }, ['h']],
];

for (const [argv, cli, options, params] of CASES) {
  test(`arguments ${argv.join(' ')}`, () => assert.deepEqual(parseArguments(argv, cli), { options, params }));
}

test('an option that needs a value and has none is refused', () => {
  assert.throws(() => parseArguments(['--tcp-port'], CLI), { message: 'option --tcp-port needs a value' });
});
