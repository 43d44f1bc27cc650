#!/usr/bin/env node
/** Ready by a line of its output: for programs that cannot be changed. */
setInterval(() => {}, 1 << 30);
console.log('reading tables');
setTimeout(() => console.log('accepting work'), 100);
