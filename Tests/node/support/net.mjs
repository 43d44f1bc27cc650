/** Ports and bytes. */
import { once } from 'node:events';
import net from 'node:net';

/** A port that nobody uses at the moment. */
export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Sends bytes and resolves with all that comes until the end. */
export function raw(port, bytes, options = {}) {
  return new Promise((resolve) => {
    let all = '';
    const socket = net.connect({ port, host: '127.0.0.1', ...options }, () => socket.write(bytes));
    socket.setEncoding('latin1').on('data', (data) => (all += data)).on('close', () => resolve(all)).on('error', () => {});
  });
}

/** A connection on which WebSocket is spoken from now on, by bytes. */
export async function upgraded(port) {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  await once(socket, 'data');
  return socket;
}
