// Takes so many MB of memory, with a child that takes none, and keeps them.
require('child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });
const kept = [];
const most = Number(process.argv[2]);
const timer = setInterval(() => {
  if (kept.length < most) kept.push(Buffer.alloc(1 << 20, 1));
  else if (clearInterval(timer) === undefined) console.log('full');
}, 1);
setInterval(() => {}, 1000);
