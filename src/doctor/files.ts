import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isLoopback } from '../config/exposure.js';
import type { Configuration } from '../config/schema.js';
import { SouthbridgeError } from '../errors.js';
import { exposureOf } from '../server/security/secret-file.js';
import { readTlsFiles } from '../server/security/tls-files.js';
import { readTokenFile } from '../server/security/token-file.js';
import { FolderLock } from '../server/state/folder-lock.js';
import { type Check, fail, ok, warn } from './check.js';

const MIB = 2 ** 20;
/** A checkpoint, the one before it, and one that is being written. */
const CHECKPOINT_BYTES = 3 * 64 * 1024;
const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** The folder of checkpoints; none if none is configured. */
export async function stateDirCheck({ stateDir, limits }: Configuration): Promise<Check[]> {
  if (stateDir === '') return [];
  const name = 'stateDir';
  const folder = resolve(stateDir);
  const nearest = existing(folder);
  if (!statSync(nearest).isDirectory()) return [fail(name, `${nearest} is no folder`, 'Set stateDir to a folder.')];
  let holder: string | undefined;
  try {
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK);
    holder = nearest === folder ? await FolderLock.holder(folder) : undefined;
  } catch (error) {
    const found = `${nearest} cannot be used: ${(error as Error).message}`;
    return [fail(name, found, 'Give it to the user who runs the server (chown).')];
  }
  if (holder !== undefined) {
    return [warn(name, `${folder} is in use by ${holder}`, 'Each server needs a folder of its own.')];
  }
  const { bavail, bsize } = statfsSync(nearest);
  const free = bavail * bsize;
  const found = `${folder}${nearest === folder ? '' : ', which the server will make'}; ${Math.floor(free / MIB)} MiB free`;
  const needed = limits.machines * CHECKPOINT_BYTES;
  if (free < needed) {
    const advice = `Checkpoints of limits.machines machines may take ${Math.ceil(needed / MIB)} MiB: make room.`;
    return [warn(name, found, advice)];
  }
  return [ok(name, found)];
}

/** The nearest folder above, or the path itself, that exists. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}

/** The file of tokens, or that there is none. */
export function tokenFileCheck({ tokenFile, host }: Configuration): Check {
  const name = 'tokens';
  if (tokenFile === '') {
    if (isLoopback(host)) return ok(name, 'none are needed: only this computer reaches the server');
    const found = `none, and ${host} can be reached from elsewhere`;
    return warn(name, found, 'Everybody there may do everything: make tokens with npx southbridge token add.');
  }
  try {
    const tokens = readTokenFile(tokenFile);
    const found = `${tokens.length} in ${tokenFile}`;
    if (tokens.length === 0) return warn(name, found, 'Nobody gets in: make one with npx southbridge token add.');
    if (!exposureOf(tokenFile).readable) return ok(name, found);
    return warn(name, `${found}, which everybody may read`, `It has hashes only; still, chmod o-r ${tokenFile}`);
  } catch (error) {
    return refused(name, error);
  }
}

/** The certificate; none if TLS is not configured. */
export function tlsCheck({ tls }: Configuration, now: number): Check[] {
  if (tls.certFile === '') return [];
  const name = 'TLS';
  try {
    readTlsFiles(tls);
    const { validTo } = new X509Certificate(readFileSync(tls.certFile));
    const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
    const found = `${tls.certFile} is valid until ${validTo}`;
    if (days < 0) return [fail(name, found, 'It has expired: put a new one there and send the server SIGHUP.')];
    if (days < SOON_DAYS) return [warn(name, found, `It expires in ${days} days: renew it, then send SIGHUP.`)];
    return [ok(name, found)];
  } catch (error) {
    return [refused(name, error)];
  }
}

/** An error of ours says what to do. */
function refused(name: string, error: unknown): Check {
  if (!(error instanceof SouthbridgeError)) throw error;
  return fail(name, error.message, 'A server does not start with it.');
}
