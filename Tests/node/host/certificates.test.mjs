/** The clients of Tests/Fixtures/web/clients.json, as the host of services decides them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isClientTaken } from '../../../Sources/node/host/gate/certificates.mjs';
import { folder } from '../support/host.mjs';

const { certificate, vectors } = JSON.parse(readFileSync(new URL('../../Fixtures/web/clients.json', import.meta.url), 'utf8'));

test('clients are taken by the names of their certificates, byte for byte, or by the fingerprint', (t) => {
  const place = folder(t, {});
  const names = certificate.altNames.map((name, n) => name.replace(':', `.${n}=`)).join('\n');
  const config = join(place, 'request.cnf');
  writeFileSync(config, `[req]\ndistinguished_name=subject\nx509_extensions=extensions\nprompt=no\n[subject]\nCN=${certificate.commonName}\n`
    + `[extensions]\nsubjectAltName=@names\n[names]\n${names}\n`);
  const files = { key: join(place, 'key.pem'), cert: join(place, 'cert.pem') };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', config,
    '-keyout', files.key, '-out', files.cert, '-days', '1'], { stdio: 'pipe' });
  const shown = new X509Certificate(readFileSync(files.cert)).toLegacyObject();
  const socket = { getPeerCertificate: () => shown };
  for (const { client, isTaken } of vectors) assert.equal(isClientTaken(socket, [client]), isTaken, client);
  assert.equal(isClientTaken(socket, [`sha256:${shown.fingerprint256}`]), true);
  assert.equal(isClientTaken(socket, [`sha256:${'0'.repeat(64)}`]), false);
  assert.equal(isClientTaken({ getPeerCertificate: () => ({}) }, ['']), false);
});
