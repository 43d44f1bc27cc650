// Stands where the daemon does, gives every client a session, and sends everything behind that back: `echo.js SOCKET`.
const { createServer } = require('net');
createServer({ allowHalfOpen: true }, (socket) => {
  let asked = Buffer.alloc(0);
  socket.on('data', function opening(piece) {
    asked = Buffer.concat([asked, piece]);
    const end = asked.indexOf(10);
    if (end < 0) return;
    socket.off('data', opening);
    socket.write(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(asked.subarray(0, end)).id, result: { allow: null } }) + '\n');
    socket.write(asked.subarray(end + 1));
    socket.pipe(socket);
  });
  // Clients that break a connection are part of the tests.
  socket.on('error', () => socket.destroy());
}).listen(process.argv[2]);
