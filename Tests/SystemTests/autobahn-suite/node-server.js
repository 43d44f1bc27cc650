// A server with the WebSocket of services in Node, that sends every message back: `node-server.js CLIENT_FOLDER PORT`.
const { createServer } = require('http');
const [folder, port] = process.argv.slice(2);
const { WebSocketConnection, acceptUpgrade } = require(`${folder}/wire/websocket.cjs`);

createServer()
  .on('upgrade', (request, socket, head) => {
    if (!acceptUpgrade(request, socket)) return;
    const connection = new WebSocketConnection(socket, { isServer: true, head }, {
      message: (text) => connection.send(text),
      closed: () => {},
    });
  })
  .listen(Number(port), '127.0.0.1');
