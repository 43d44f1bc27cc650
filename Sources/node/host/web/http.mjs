/** What requests of HTTP have in common: their bodies, and their answers. */
import { tooLong, MAX_BODY } from '../gate/web-gate.mjs';
import { Pile } from '../wire.mjs';

/** Sockets that have got their last answer. */
export const refused = new WeakSet();

/** @returns {Promise<{bytes?: Buffer, problem?: object}>} as many bytes as there are are held; the caller gives them back */
export async function body(request, account) {
  const pile = new Pile(account, MAX_BODY);
  const drop = (problem) => {
    pile.clear();
    return { problem };
  };
  try {
    for await (const chunk of request) {
      if (pile.size + chunk.length > MAX_BODY) return drop(tooLong());
      if (!pile.appendCopy(chunk)) return drop(tooMuch());
    }
  } catch {
    // The client has gone; nobody reads the answer.
    return drop({ status: 400, message: 'the body did not come whole' });
  }
  const bytes = Buffer.from(pile.bytes);
  pile.clear();
  // It is never more than was given back just now.
  account.hold(bytes.length);
  return { bytes };
}

export function tooMuch() {
  return { status: 503, message: 'clients together make this service hold too much: try again later' };
}

/** The connection ends: where the next request begins may not be certain, and its body may not have come. */
export function refuse(response, { status, message, hint, headers = {} }) {
  const text = JSON.stringify({ statusCode: status, message, hint });
  if (response.socket) refused.add(response.socket);
  response.writeHead(status, {
    ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), Connection: 'close',
  }).end(text);
}

/** The answer to OPTIONS, and to a preflight. */
export function answerOptions(response, fields) {
  response.writeHead(204, fields).end();
}

/** Resolves when what was written has been read, or the stream has ended. */
export function drained(stream) {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => {
    // Neither stays behind: a long stream waits often, and removing listeners one by one takes time with their number.
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
