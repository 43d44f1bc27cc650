#!/usr/bin/env node
/** Ready when /health answers 200; until its work is prepared it answers 503. */
import { createServer } from 'node:http';

let prepared = false;
setTimeout(() => (prepared = true), 100);
createServer((request, response) => {
  response.statusCode = prepared ? 200 : 503;
  response.end(prepared ? 'ok\n' : 'preparing\n');
}).listen(Number(process.argv[2] ?? 31702), '127.0.0.1');
