'use strict';

const { interact, InteractError } = require('./interact.cjs');
const { getRandomName } = require('./names.cjs');

/** What talks to others is read when it is asked for first: most services only need the rest. */
const LAZY = ['connect', 'connectByPreference', 'Container', 'defaultOrders', 'RemoteContainer', 'sidecar', 'sidecarSingleton'];

module.exports = { default: interact, interact, InteractError, getRandomName };
Object.defineProperty(module.exports, 'meta', { enumerable: true, get: () => require('./commands.json') });
/** The host of the pool puts it there before the program begins. */
module.exports.pool = globalThis[Symbol.for('pm.pool')]?.pool ?? null;
for (const name of LAZY) {
  Object.defineProperty(module.exports, name, { enumerable: true, get: () => require('./sidecar.cjs')[name] });
}
