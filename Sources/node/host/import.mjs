// Evaluates a configuration that is a JavaScript module, for `pm import`, and writes its value as JSON to descriptor 3.
// pm starts this with a nearly empty environment, in a network namespace without a network where the kernel allows that, and
// with Node's permission model where Node has it: the module may read files, and nothing else.
import dgram from 'node:dgram';
import { writeSync } from 'node:fs';
import net from 'node:net';
import { pathToFileURL } from 'node:url';

/** Variables that Node itself asks for. */
const ofNode = /^(NODE_(?!ENV$)|UNDICI_|JEST_|WATCH_REPORT_)/;
/** Names of variables without a value that the module has asked for. */
const missing = new Set();

process.env = new Proxy({ ...process.env }, {
  get(variables, name) {
    if (typeof name === 'string' && !(name in variables) && !ofNode.test(name)) missing.add(name);
    return variables[name];
  },
});

function refuse() {
  throw new Error('pm import evaluates a configuration without a network');
}
// Where there is no namespace; those who want to can get around it.
net.Socket.prototype.connect = refuse;
dgram.createSocket = refuse;

const module = await import(pathToFileURL(process.argv[2]).href);
let value = module.default ?? { ...module };
if (typeof value === 'function') value = await value();
const text = JSON.stringify({ value, missing: [...missing] });
for (let bytes = Buffer.from(text); bytes.length > 0;) bytes = bytes.subarray(writeSync(3, bytes));
// Timers and sockets of the module keep nothing alive.
process.exit(0);
