import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { WebSocket } from 'ws';
import { loadConfiguration } from '../../../src/config/sources.js';
import { startServer } from '../../../src/server/boot.js';
import { refusals, set } from '../../config/load.js';
import { certificate, skipTls } from '../../support/certificate.js';
import { southbridgeBeside } from '../../support/program.js';
import { configuration } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const skip = skipTls;

/** The name on the certificate that a server shows, if it is the one that is trusted. */
function shownBy(url: string, trusted: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    get(`${url}/healthz`, { ca: readFileSync(trusted), agent: false }, (response) => {
      const { subject } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      resolve(String(subject.CN));
    }).on('error', reject);
  });
}

t.test('TLS from files, for requests and sockets', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const tls = certificate(folder, 'first');
  const server = await startServer(configuration({ tls }));
  t.teardown(() => server.close());
  t.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  t.equal(await shownBy(server.url, tls.certFile), 'first');
  await t.rejects(fetch(server.url.replace('https', 'http')), 'plain HTTP is not answered');

  const url = `${server.url.replace('https', 'wss')}/v1/machines/default/vcpus/0`;
  const socket = new WebSocket(url, 'southbridge.v1.json', { ca: readFileSync(tls.certFile) });
  const hello = await new Promise((resolve, reject) => {
    socket.on('message', (data) => resolve(JSON.parse(String(data))));
    socket.on('error', reject);
  });
  t.match(hello, { type: 'hello', vcpu: 0 });
  socket.terminate();

  const trace = ['replay', '--url', server.url, 'test/vectors/hpet_legacy.jsonl'];
  t.match(await southbridgeBeside(trace, { NODE_EXTRA_CA_CERTS: tls.certFile }), { status: 0 });
  t.equal((await southbridgeBeside(trace)).status, 2, 'a certificate that nobody vouches for is not taken');

  const next = certificate(folder, 'second');
  copyFileSync(next.certFile, tls.certFile);
  server.reload();
  t.equal(
    await shownBy(server.url, tls.certFile).catch(() => 'first'),
    'first',
    'a certificate without its key is not taken',
  );
  copyFileSync(next.keyFile, tls.keyFile);
  server.reload();
  t.equal(await shownBy(server.url, tls.certFile), 'second', 'both are read again');
});

t.test('files that cannot be used stop the start', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const one = certificate(folder, 'one');
  const other = certificate(folder, 'other');
  const start = (tls: { certFile: string; keyFile: string }) => startServer(configuration({ tls }));
  await t.rejects(start({ ...one, certFile: join(folder, 'none') }), { code: 'tls-file-unusable' });
  await t.rejects(start({ ...one, keyFile: other.keyFile }), { code: 'tls-file-unusable' });
  writeFileSync(other.certFile, 'no certificate');
  await t.rejects(start(other), { code: 'tls-file-unusable' });
  for (const mode of [0o604, 0o620]) {
    chmodSync(one.keyFile, mode);
    await t.rejects(start(one), { code: 'tls-file-unusable', message: /chmod go=/ });
  }
});

t.test('certificate and key come together', async (t) => {
  for (const [given, missing] of [
    ['certFile', 'keyFile'],
    ['keyFile', 'certFile'],
  ]) {
    const [error] = refusals(() => loadConfiguration({ flags: [set(`tls.${given}`, 'x.pem')] }));
    t.match(error, { code: 'config-not-allowed', details: { key: `tls.${missing}` } });
  }
});

t.test('TLS 1.2 keeps recorded connections secret from a stolen key: no RSA key exchange', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const [certFile, keyFile] = [join(folder, 'rsa.crt'), join(folder, 'rsa.key')];
  const command = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=rsa -addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', [...command.split(' '), '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  chmodSync(keyFile, 0o600);
  const { url, close } = await startServer(configuration({ tls: { certFile, keyFile } }));
  t.teardown(close);
  const handshake = (ciphers: string) =>
    new Promise<string>((resolve) => {
      const { port } = new URL(url);
      const options = { ciphers, maxVersion: 'TLSv1.2', ca: readFileSync(certFile), agent: false } as const;
      get(`https://127.0.0.1:${port}/healthz`, options, (response) => {
        response.resume();
        resolve((response.socket as TLSSocket).getCipher().name);
      }).on('error', ({ message }) => resolve(message));
    });
  t.match(await handshake('ECDHE-RSA-AES128-GCM-SHA256'), 'ECDHE-RSA-AES128-GCM-SHA256');
  for (const cipher of ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'AES128-SHA', 'AES256-SHA256']) {
    t.match(await handshake(cipher), /handshake failure|no ciphers|ECONNRESET/i, cipher);
  }
});
