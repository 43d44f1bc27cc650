// A client with the WebSocket of programs in Node, that sends every message back: `node-client.js CLIENT_FOLDER URL`.
// It connects once for each case that the suite, which is the server here, wants to try on it.
const [folder, url] = process.argv.slice(2);
const { openTransport } = require(`${folder}/transports.cjs`);

/** Connects, gives each message to `receive` together with what answers it, and waits for the end. */
async function converse(path, receive) {
  // What comes along with the handshake is here before there is a transport to answer with.
  let listener = (text) => early.push(text);
  const early = [];
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  const transport = await openTransport(url + path, {}, { receive: (text) => listener(text), closed: end });
  listener = (text) => receive(text, transport);
  early.forEach(listener);
  await ended;
}

async function main() {
  let count;
  await converse('/getCaseCount', (text) => (count = Number(text)));
  for (let number = 1; number <= count; number++) {
    await converse(`/runCase?case=${number}&agent=pm`, (text, transport) => transport.send(text));
  }
  // It ends when the report is written, and answers nothing any more; the report is looked at.
  await converse('/updateReports?agent=pm&shutdownOnComplete=true', () => {}).catch(() => {});
}

main();
