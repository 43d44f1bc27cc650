'use strict';

/** What a client needs to know to trust a server. */
const { readFileSync } = require('node:fs');
const tls = require('node:tls');
const { X509Certificate } = require('node:crypto');
const { errorWithStatus } = require('./wire/errors.cjs');

/** Options of Node that a connection map may carry as they are. */
const PASSED = ['ca', 'passphrase', 'pfx', 'servername', 'rejectUnauthorized', 'minVersion', 'maxVersion', 'ciphers'];

/**
 * Options for `tls.connect` from those of a connection map.
 *
 * The `cert` that a service's map names is the certificate of that service: it is trusted, and no name has to stand in
 * it. With `ca`, certificates are checked as usual, and `cert` and `key` are the client's own.
 * @param {{ca?: string, cert?: string, key?: string, servername?: string}} options texts, or paths of PEM files
 * @param {string | undefined} host
 */
function tlsOptions(options, host) {
  const passed = Object.fromEntries(PASSED.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
  const servername = options.servername ?? (host === undefined || /^[\d.]+$|:/.test(host) ? undefined : host);
  const base = { minVersion: 'TLSv1.2', ...(servername === undefined ? {} : { servername }), ...passed };
  if (options.ca !== undefined) {
    return { ...base, ca: pem(options.ca), ...(options.key === undefined ? {} : { key: pem(options.key), cert: pem(options.cert) }) };
  }
  if (options.cert === undefined) return base;
  const pinned = pem(options.cert);
  // The certificate itself is trusted, whoever has signed it (Node >= 20.18; before, only one that is its own authority).
  return { ...base, ca: pinned, allowPartialTrustChain: true, checkServerIdentity: (name, peer) => checkPinned(pinned, name, peer) };
}

function checkPinned(pinned, name, peer) {
  const isPinned = new X509Certificate(pinned).raw.equals(peer.raw);
  return isPinned ? undefined : tls.checkServerIdentity(name, peer);
}

/**
 * PEM text, or the content of the file it names.
 * @param {string | Buffer} value
 */
function pem(value) {
  if (Buffer.isBuffer(value) || String(value).includes('-----BEGIN')) return value;
  try {
    return readFileSync(value);
  } catch (error) {
    throw errorWithStatus(500, `the certificate or key ${value} cannot be read: ${error.message}`, { code: error.code });
  }
}

module.exports = { pem, tlsOptions };
