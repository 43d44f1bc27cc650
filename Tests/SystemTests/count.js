#!/usr/bin/env node
// A service that counts, a line every few milliseconds.
let number = 0;
setInterval(() => console.log(++number), 5);
