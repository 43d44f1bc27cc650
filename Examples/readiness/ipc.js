#!/usr/bin/env node
/** Ready by Node's IPC channel. Without one, when started by hand, `process.send` is not there. */
setInterval(() => {}, 1 << 30);
setTimeout(() => process.send?.('ready'), 100);
