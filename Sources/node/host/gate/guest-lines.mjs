/**
 * Lines of a stranger. Nothing of a connection is given on before its first line was seen whole and is JSON-RPC: a browser sends whatever
 * a page wants, but always behind a line of HTTP.
 */
import { answerTo, guess, NO_MESSAGE } from './stranger.mjs';
import { messagesOf } from './messages.mjs';
import { beginningOf, Pile, refusalText } from '../wire.mjs';

/** The longest line, in bytes. */
export const MAX_LINE = 4 * 1024 * 1024;
/** How long a line may take from its first byte to its last, in milliseconds. */
const LINE_TIMEOUT = 60_000;
const NEWLINE = 10;
/** So much of a line that is too long is looked at for its id, in bytes. */
const HEAD = 4096;
const NOTHING = Buffer.alloc(0);
const TOO_MUCH = 'clients together make this service hold too much: try again later';

export class GuestLines {
  #pending;
  #isKnown = false;
  #isOver = false;
  #handlers;
  #timer;

  /**
   * @param {import('./budget.mjs').Account} account
   * @param {{messages: (list: object[], size: number) => void, known: () => void, refuse: (answer: Buffer) => void}} handlers `known`:
   *   the first line was good; `refuse`: the connection is to end with these bytes
   */
  constructor(account, handlers) {
    this.#pending = new Pile(account, MAX_LINE);
    this.#handlers = handlers;
  }

  /** @param {Buffer} chunk the next bytes */
  push(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0 && !this.#isOver; end = chunk.indexOf(NEWLINE, start)) {
      this.#line(chunk.subarray(start, end));
      start = end + 1;
    }
    if (!this.#isOver && start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The stranger sends no more: what has come is its last line. */
  end() {
    if (!this.#isOver && this.#pending.size > 0) this.#line(Buffer.alloc(0));
    this.#stop();
  }

  #line(rest) {
    if (!this.#add(rest)) return undefined;
    const line = this.#pending.bytes;
    this.#forget();
    const isBlank = line.length === 0 || (line.length === 1 && line[0] === 13);
    if (isBlank && this.#isKnown) return undefined;
    const found = messagesOf(line, !this.#isKnown);
    if (typeof found === 'string') return this.#refuse(this.#isKnown ? this.#refusal(found, { rest: line }) : this.#answer(line));
    if (!this.#isKnown) {
      this.#isKnown = true;
      this.#handlers.known();
    }
    return this.#handlers.messages(found.list, found.size);
  }

  #keep(rest) {
    if (!this.#add(rest)) return undefined;
    if (!this.#pending.keep()) return this.#refuse(this.#refusal(TOO_MUCH, { statusCode: 503 }));
    this.#timer ??= setTimeout(() => this.#refuse(answerTo('other', 'the line was not finished in time')), LINE_TIMEOUT).unref();
    if (this.#isKnown) return undefined;
    const kind = guess(this.#pending.bytes);
    return kind === 'open' || kind === 'json' ? undefined : this.#refuse(answerTo(kind));
  }

  /** @returns {boolean} false when the connection was refused */
  #add(rest) {
    if (this.#pending.size + rest.length > MAX_LINE) this.#refuse(this.#refusal(`a line has at most ${MAX_LINE} bytes`, { rest, statusCode: 413 }));
    else if (!this.#pending.append(rest)) this.#refuse(this.#refusal(TOO_MUCH, { rest, statusCode: 503 }));
    return !this.#isOver;
  }

  /** It names the request, if its id was seen: so its caller knows which one it was. */
  #refusal(reason, { rest = NOTHING, statusCode } = {}) {
    const head = Buffer.concat([this.#pending.bytes.subarray(0, HEAD), rest.subarray(0, HEAD)]);
    const { id } = beginningOf(head.toString('utf8'));
    return Buffer.from(`${refusalText(id, reason, statusCode)}\n`);
  }

  #forget() {
    this.#pending.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #answer(line) {
    const kind = guess(line);
    return kind === 'http' || kind === 'tls' ? answerTo(kind) : answerTo('other', NO_MESSAGE);
  }

  #refuse(answer) {
    this.#stop();
    this.#handlers.refuse(answer);
  }

  #stop() {
    this.#isOver = true;
    this.#forget();
  }
}
