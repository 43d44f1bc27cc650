import { access, constants } from 'node:fs/promises';

/** Greets somebody, and says what it may do where it runs. */
export default async function greet(name) {
  const mayWrite = await access('/app', constants.W_OK).then(() => true, () => false);
  return `Hello ${name}, from process ${process.pid} of user ${process.getuid()}, who may ${mayWrite ? '' : 'not '}write`;
}
