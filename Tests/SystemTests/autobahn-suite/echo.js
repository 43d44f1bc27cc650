// Stands where the daemon does, and sends everything back: `echo.js SOCKET`.
const { createServer } = require('net');
createServer({ allowHalfOpen: true }, (socket) => {
  socket.pipe(socket);
  // Clients that break a connection are part of the tests.
  socket.on('error', () => socket.destroy());
}).listen(process.argv[2]);
