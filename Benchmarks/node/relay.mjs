/** node relay.mjs LISTEN TARGET: a relay as one writes it in Node, to compare. */
import { connect, createServer } from 'node:net';

const [, , listen, target] = process.argv;
createServer((near) => {
  const far = connect(target);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
}).listen(listen);
