// The floor for node/host: a Node process that says on descriptor 3 that it runs, and stays.
import { writeSync } from 'node:fs';
writeSync(3, 'up\n');
setInterval(() => {}, 1 << 30);
