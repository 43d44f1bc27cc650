// Starts children until the system refuses, and says why it did and how many there are.
const { spawn } = require('child_process');
let count = 0;
function next() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  child.on('error', (error) => console.log(`refused ${error.code} after ${count}`));
  child.on('spawn', () => (++count < 100 ? next() : console.log('never refused')));
}
next();
