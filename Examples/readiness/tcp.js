#!/usr/bin/env node
/** Ready when it accepts connections: pm tries until one succeeds. */
import { createServer } from 'node:net';

createServer((socket) => socket.end('hello\n')).listen(Number(process.argv[2] ?? 31701), '127.0.0.1');
