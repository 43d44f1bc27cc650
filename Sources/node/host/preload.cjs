'use strict';
/** `--require` of this file makes `@akala/pm` resolve in a program that the host does not run: NODE_OPTIONS names it. */
const { getEnvironmentData, setEnvironmentData } = require('worker_threads');
const { useSourceMaps } = require('./load/source-maps.cjs');
const { provideClient } = require('./reference/client.cjs');
const { offerConnection } = require('./reference/reference.cjs');

const KEY = 'pm.program';
// A thread is not told its file this early: its sources are those of its program. Without a program, of `node -e` for
// example, there are none.
const program = process.argv[1] || (getEnvironmentData && getEnvironmentData(KEY)) || '';
if (setEnvironmentData) setEnvironmentData(KEY, program);
provideClient(program);
if (program !== '') useSourceMaps(program);
// Only pm's services have one.
if (program !== '' && process.env.PM_SOCK) offerConnection(program, () => require('../client/sidecar.cjs').daemon());
