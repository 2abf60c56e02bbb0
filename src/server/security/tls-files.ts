import { readFileSync } from 'node:fs';
import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import { exposureOf } from './secret-file.js';

/** What TLS needs, in PEM. */
export interface TlsFiles {
  /** The server's certificate, and then those that vouch for it. */
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
  readonly ciphers: string;
}

/** Node's defaults without RSA key exchange: a stolen key would open every recorded TLS 1.2 connection. */
const CIPHERS = `${DEFAULT_CIPHERS}:!kRSA`;

/** Reads the files that the configuration names; undefined if it names none. Throws `tls-file-unusable`. */
export function readTlsFiles({ certFile, keyFile }: Configuration['tls']): TlsFiles | undefined {
  if (certFile === '') return undefined;
  const files: TlsFiles = { cert: read(certFile), key: read(keyFile), minVersion: 'TLSv1.2', ciphers: CIPHERS };
  const { readable, writable } = exposureOf(keyFile);
  if (readable || writable) {
    throw unusable(keyFile, `others than its owner may read or write it; forbid that by chmod go= ${keyFile}`);
  }
  try {
    createSecureContext(files);
  } catch (error) {
    throw unusable(`${certFile} with the key ${keyFile}`, (error as Error).message);
  }
  return files;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unusable(file, (error as Error).message);
  }
}

function unusable(file: string, reason: string): SouthbridgeError {
  return new SouthbridgeError('tls-file-unusable', { file, reason });
}
