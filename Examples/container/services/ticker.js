// A service without commands: writes a line now and then, and says goodbye.
console.log('ticker runs');
const timer = setInterval(() => console.log('tick'), 1000);
process.on('SIGTERM', () => {
  console.log('ticker stops');
  clearInterval(timer);
});
