import { createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { SouthbridgeError } from '../../errors.js';
import { isRole, ROLES, type Role } from './roles.js';
import { exposureOf } from './secret-file.js';

/** What the server keeps of a token: enough to know it again, too little to make it. */
export interface TokenEntry {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token. It has 256 random bits, so neither salt nor stretching would add anything. */
  readonly hash: Buffer;
  /** Day on which it was made, as in 2026-11-25. */
  readonly made: string;
  /** Patterns of names of machines that it is good for; undefined if for all. */
  readonly machines?: readonly string[] | undefined;
  /** When it ends, as in 2027-01-31T00:00:00.000Z; undefined if never. */
  readonly expires?: string | undefined;
}

/** What a token says of its bearer. */
export type ShownToken = Omit<TokenEntry, 'hash'>;

/** What a token is limited to. */
export type TokenLimits = Pick<TokenEntry, 'machines' | 'expires'>;

/** Bytes of a token. In base64url they are fit for a header and for the name of a subprotocol. */
const TOKEN_BYTES = 32;
/** So that people, and programs that look for leaked secrets, see what it is. */
export const TOKEN_PREFIX = 'sbt_';

const DAY_MS = 86_400_000;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const LINE = /^(\S+)\s+(\S+)\s+sha256:([0-9a-f]{64})\s+(\d{4}-\d\d-\d\d)(?:\s+machines=(\S+))?(?:\s+expires=(\S+))?$/;
const HEADING =
  '# Tokens of Southbridge, made by `southbridge token add`: name, role, hash of the token, day, limits.\n';
/** A name of a machine, with `*` for any part of it. */
const PATTERN = /^[a-z0-9._*-]{1,63}$/;

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Reads a token file: one token a line, with empty lines and comments (`#`) between them. Throws `token-file-unusable`, also
 * if others than its owner may write it.
 */
export function readTokenFile(file: string): TokenEntry[] {
  const entries = parse(file, readText(file));
  if (exposureOf(file).writable) {
    throw unusable(file, `others than its owner may write it; forbid that by chmod go-w ${file}`);
  }
  return entries;
}

/** Makes a token and puts its hash into the file, which is made if there is none. Returns the token: it is kept nowhere. */
export function addToken(file: string, name: string, role: Role, limits: TokenLimits = {}): string {
  if (!NAME.test(name)) {
    throw new SouthbridgeError('bad-value', { key: 'name', expected: `of the form ${NAME.source}` });
  }
  const stray = limits.machines?.find((pattern) => !PATTERN.test(pattern));
  if (stray !== undefined || limits.machines?.length === 0) {
    throw new SouthbridgeError('bad-value', { key: 'machines', expected: `of the form ${PATTERN.source}` });
  }
  const text = existsSync(file) ? readText(file) : HEADING;
  if (parse(file, text).some((entry) => entry.name === name)) {
    throw new SouthbridgeError('token-exists', { name, file });
  }
  const token = TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  const day = new Date().toISOString().slice(0, 10);
  const line = `${[name, role, `sha256:${hashOf(token).toString('hex')}`, day, ...limitsText(limits)].join(' ')}\n`;
  writeText(file, text.endsWith('\n') || text === '' ? text + line : `${text}\n${line}`);
  return token;
}

/** What a token is limited to, as its line says it. */
export function limitsText({ machines, expires }: TokenLimits): string[] {
  return [machines && `machines=${machines.join(',')}`, expires && `expires=${expires}`].filter(
    (part) => !!part,
  ) as string[];
}

/** A day, which counts to its end, or a moment, in UTC, as a token's line has it. Throws `bad-value`. */
export function expiryOf(text: string): string {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) + DAY_MS : Date.parse(text);
  if (/^\d{4}-\d\d-\d\d(T|$)/.test(text) && !Number.isNaN(moment)) return new Date(moment).toISOString();
  throw new SouthbridgeError('bad-value', {
    key: 'expires',
    expected: 'a day such as 2027-01-31, or a time of one in UTC',
  });
}

/** Whether a token is good for a machine of this name. */
export function isGoodFor({ machines }: TokenLimits, name: string): boolean {
  return machines === undefined || machines.some((pattern) => matches(pattern, name));
}

/** Throws `machine-not-allowed` unless a token, if there has to be one, is good for a machine; for all, without a name. */
export function requireGoodFor(token: TokenLimits | null | undefined, name?: string): void {
  if (!token?.machines || (name !== undefined && isGoodFor(token, name))) return;
  const machine = name ?? 'the whole server';
  throw new SouthbridgeError('machine-not-allowed', { allowed: token.machines.join(', '), machine });
}

/** Finds the parts between stars from left to right, which takes no backtracking. */
function matches(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

/** Throws `unknown-token`. */
export function removeToken(file: string, name: string): void {
  const text = readText(file);
  if (!parse(file, text).some((entry) => entry.name === name)) {
    throw new SouthbridgeError('unknown-token', { name, file });
  }
  const kept = text.split('\n').filter((line) => line.trim().split(/\s+/)[0] !== name);
  writeText(file, kept.join('\n'));
}

function parse(file: string, text: string): TokenEntry[] {
  const entries = new Map<string, TokenEntry>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, role, hash, made, patterns, expires] = LINE.exec(line) ?? [];
    const at = `line ${index + 1}`;
    if (name === undefined || !NAME.test(name)) {
      throw unusable(file, `${at} is not of the form "name role sha256:hash day [machines=…] [expires=…]"`);
    }
    if (!isRole(role)) throw unusable(file, `${at} has a role that is none of ${ROLES.join(', ')}`);
    if (entries.has(name)) throw unusable(file, `${at} has a name that another line has`);
    const machines = patterns?.split(',');
    if (machines?.some((pattern) => !PATTERN.test(pattern))) {
      throw unusable(file, `${at} has a pattern of machines that is not of the form ${PATTERN.source}`);
    }
    if (expires !== undefined && Number.isNaN(Date.parse(expires))) {
      throw unusable(file, `${at} has an end that is no time`);
    }
    entries.set(name, { name, role, hash: Buffer.from(hash, 'hex'), made, machines, expires });
  }
  return [...entries.values()];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(file, (error as Error).message);
  }
}

/** A server that reads it meanwhile finds the old text or the new. */
function writeText(file: string, text: string): void {
  const next = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const descriptor = openSync(next, 'wx', 0o600);
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(next, file);
  } catch (error) {
    throw unusable(file, (error as Error).message);
  }
}

function unusable(file: string, reason: string): SouthbridgeError {
  return new SouthbridgeError('token-file-unusable', { file, reason });
}
