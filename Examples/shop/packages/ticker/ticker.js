#!/usr/bin/env node
/** Prints a line every second, or every so many milliseconds as the first argument says. */
const interval = Number(process.argv[2] ?? 1000);
let count = 0;

setInterval(() => console.log(`tick ${++count}`), interval);
