import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
/** For tests of TLS: why they cannot run here, or false. */
export const skipTls = hasOpenssl ? false : 'there is no openssl here to make a certificate';

/** A self-signed certificate for 127.0.0.1. */
export function certificate(folder: string, name: string): { certFile: string; keyFile: string } {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj';
  const rest = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', [...command.split(' '), `/CN=${name}`, ...rest], { stdio: 'ignore' });
  chmodSync(keyFile, 0o600);
  return { certFile, keyFile };
}
