#!/usr/bin/env node
/** Ready by a newline on a descriptor that pm opened for it: works in any language. */
import { closeSync, writeSync } from 'node:fs';

setInterval(() => {}, 1 << 30);
setTimeout(() => {
  writeSync(4, '\n');
  closeSync(4);
}, 100);
