// Reads 4 MB of the disk, past the cache, and says how long that took.
const { execFileSync } = require('child_process');
const started = Date.now();
execFileSync('dd', ['if=/dev/ubda', 'of=/dev/null', 'bs=256k', 'count=16', 'iflag=direct'], { stdio: 'ignore' });
console.log(`read in ${Date.now() - started} ms`);
setInterval(() => {}, 1000);
