/**
 * What both ends share (client/wire), and what most services never need, loaded by `require`: the same files cost a service 5 MB and 8 ms more when ES modules
 * import them.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const {
  beginningOf, failureText, frameText, messageText, publicFailureText, refusalText, resultText, signalText,
} = require('../client/wire/envelope.cjs');
export const {
  RpcError, cancelled, errorObject, errorWithStatus, methodNotFound, publicError, revive,
} = require('../client/wire/errors.cjs');
export const { Flow, SIGNALS } = require('../client/wire/flow.cjs');
export const { DEFAULT_PORT, HIGH_WATER, LONGEST_PATH, MAX_LINE } = require('../client/wire/limits.cjs');
export const { LineSplitter } = require('../client/wire/lines.cjs');
export const { Pile } = require('../client/wire/pile.cjs');

/** Read when the first stream comes or goes: most services never have one. */
export const streams = () => require('../client/wire/streams.cjs');
/** Read where a service listens for WebSockets. */
export const websocket = () => require('../client/wire/websocket.cjs');
/** Read by services that find their channel by its path. */
export const trust = () => require('../client/wire/trust.cjs');
/** Makes `@akala/pm` resolve in the program. */
export const provideClient = (program) => require('./reference/client.cjs').provideClient(program);
/** Gives `sidecar()` of a reference's `@akala/pm` that the program has installed its connection. */
export const offerConnection = (program, connection) => require('./reference/reference.cjs').offerConnection(program, connection);
/** Read by the first command that is injected with its container. */
export const facade = () => require('./commands/facade.cjs');
export const middleware = () => require('./commands/middleware.cjs');
/** Read by the first command that wants to know who calls. */
export const connection = () => require('./reference/connection.cjs');
