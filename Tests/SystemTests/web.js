// A service for the tests: says who it is, writes a line now and then, and takes a moment to stop.
console.log(`web runs as ${process.pid}`);
setInterval(() => console.log('tick'), 200);
process.on('SIGTERM', () => {
  console.log('web stops');
  setTimeout(() => process.exit(0), 50);
});
