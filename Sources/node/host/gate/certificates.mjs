/** Which clients a connection point takes of those that its authority has signed. */

const FINGERPRINT = /^sha256:([0-9a-f]{64})$/;

/**
 * Checks the option `clients`.
 * @param {unknown} clients names (common name, DNS, URI, e-mail), or `sha256:` and the fingerprint of a certificate
 * @returns {string | undefined} what is wrong with it
 */
export function clientsProblem(clients) {
  if (clients === undefined) return undefined;
  if (!Array.isArray(clients) || clients.length === 0) return '"clients" must be a list of names or of sha256: fingerprints';
  const bad = clients.find((one) => typeof one !== 'string' || one === '' || (one.startsWith('sha256:') && !FINGERPRINT.test(plain(one))));
  return bad === undefined ? undefined : `"clients" has ${JSON.stringify(bad)}, which is neither a name nor sha256: and 64 hexadecimal digits`;
}

/**
 * Whether a client is among those that a point takes. Names are compared byte for byte, as the gateway does
 * (Tests/Fixtures/web/clients.json).
 * @param {import('node:tls').TLSSocket} socket after its handshake
 * @param {string[] | undefined} clients
 */
export function isClientTaken(socket, clients) {
  if (clients === undefined) return true;
  const certificate = socket.getPeerCertificate();
  if (certificate?.fingerprint256 === undefined) return false;
  const fingerprint = `sha256:${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`;
  const names = new Set([certificate.subject?.CN, ...namesOf(certificate.subjectaltname)].flat());
  return clients.some((one) => (one.startsWith('sha256:') ? plain(one) === fingerprint : names.has(one)));
}

/** One name of Node's list, `DNS:a, URI:b`; a name with a comma or a quote is written as JSON. */
const NAME = /([^:]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;
const KINDS = new Set(['DNS', 'URI', 'email']);

function namesOf(text = '') {
  return [...text.matchAll(NAME)].filter(([, kind]) => KINDS.has(kind)).map(([, , name]) => (name.startsWith('"') ? JSON.parse(name) : name));
}

function plain(fingerprint) {
  return `sha256:${fingerprint.slice(7).replaceAll(':', '').toLowerCase()}`;
}
