/** Which clients a connection point takes of those that its authority has signed. */

const FINGERPRINT = /^sha256:([0-9a-f]{64})$/;

/**
 * Checks the option `clients`.
 * @param {unknown} clients names (of the subject or DNS), or `sha256:` and the fingerprint of a certificate
 * @returns {string | undefined} what is wrong with it
 */
export function clientsProblem(clients) {
  if (clients === undefined) return undefined;
  if (!Array.isArray(clients) || clients.length === 0) return '"clients" must be a list of names or of sha256: fingerprints';
  const bad = clients.find((one) => typeof one !== 'string' || one === '' || (one.startsWith('sha256:') && !FINGERPRINT.test(plain(one))));
  return bad === undefined ? undefined : `"clients" has ${JSON.stringify(bad)}, which is neither a name nor sha256: and 64 hexadecimal digits`;
}

/**
 * Whether a client is among those that a point takes.
 * @param {import('node:tls').TLSSocket} socket after its handshake
 * @param {string[] | undefined} clients
 */
export function isClientTaken(socket, clients) {
  if (clients === undefined) return true;
  const certificate = socket.getPeerCertificate();
  if (certificate?.fingerprint256 === undefined) return false;
  const fingerprint = `sha256:${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`;
  const names = new Set([certificate.subject?.CN, ...namesOf(certificate.subjectaltname)].flat().map((name) => String(name).toLowerCase()));
  return clients.some((one) => (one.startsWith('sha256:') ? plain(one) === fingerprint : names.has(one.toLowerCase())));
}

/** Names with a comma or a quote are written in quotes, and are no host names. */
function namesOf(text = '') {
  return text.split(', ').filter((part) => /^DNS:[^",]+$/.test(part)).map((part) => part.slice(4));
}

function plain(fingerprint) {
  return `sha256:${fingerprint.slice(7).replaceAll(':', '').toLowerCase()}`;
}
