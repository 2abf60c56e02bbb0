import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SouthbridgeError } from '../../errors.js';
import { bearerOf } from '../../protocol/subprotocols.js';
import type { ForwardedClient } from './forwarded.js';
import { allows, type RequiredRole, type Role } from './roles.js';
import {
  hashOf,
  limitsText,
  readTokenFile,
  requireGoodFor,
  type ShownToken,
  TOKEN_PREFIX,
  type TokenEntry,
} from './token-file.js';
import { isUnixSocket } from './unix-socket.js';

/** `Bearer` of RFC 6750; the scheme's name in any case. */
const AUTHORIZATION = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Names under which clients of other servers put tokens into URLs. */
const TOKEN_KEY = /[?&](access_token|token|bearer)=/i;

/** A connection over which a token was shown. */
interface Shown {
  readonly entry: TokenEntry;
  /** Ends it, if the token is no longer good. */
  end(why: 'token-unknown' | 'token-expired'): void;
}

/** Longest that Node sets a timer for. */
const LONGEST_MS = 2 ** 31 - 1;

/** How an entry of the token file differs from what it was when the file was last read: a line of the audit log. */
export interface TokenChange {
  readonly token: string;
  readonly change: 'added' | 'changed' | 'removed';
  readonly role: Role;
  /** As the file has them: `machines=…`, `expires=…`. */
  readonly limits: readonly string[];
}

/** Admits clients that show a token with a sufficient role; all clients, if there is no token file. */
export class Admission {
  #entries: readonly TokenEntry[] | undefined;
  readonly #connections = new Map<Socket, Shown>();

  /** Throws `token-file-unusable`. */
  constructor(readonly file: string) {
    this.#entries = file === '' ? undefined : readTokenFile(file);
  }

  /** Whether clients need tokens. */
  get isNeeded(): boolean {
    return this.#entries !== undefined;
  }

  /**
   * The token that was shown, which is good for this, and for this machine if it concerns one; undefined if none is needed.
   * Throws `token-missing`, `token-unknown`, `token-expired`, `role-too-low` or `machine-not-allowed`.
   */
  check(request: IncomingMessage, access: RequiredRole, machine?: string): TokenEntry | undefined {
    if (access === 'public' || this.#entries === undefined) return undefined;
    const token = tokenOf(request);
    // The permissions of the socket's file stand in its place.
    if (token === undefined && isUnixSocket(request.socket)) return undefined;
    if (token === undefined) throw new SouthbridgeError('token-missing', { role: access });
    const entry = find(this.#entries, token);
    if (entry === undefined) throw new SouthbridgeError('token-unknown');
    if (isExpired(entry)) throw new SouthbridgeError('token-expired', { expires: entry.expires as string });
    requireAccess(entry, access, machine);
    this.#remember(request.socket, entry);
    return entry;
  }

  /** As `check`, for a client whose token another node of the cluster has verified. That node ends its connections. */
  checkForwarded({ token, isLocal }: ForwardedClient, access: RequiredRole, machine?: string): ShownToken | undefined {
    if (access === 'public' || this.#entries === undefined || isLocal) return undefined;
    if (token === undefined) throw new SouthbridgeError('token-missing', { role: access });
    if (isExpired(token)) throw new SouthbridgeError('token-expired', { expires: token.expires as string });
    requireAccess(token, access, machine);
    return token;
  }

  /** Name of the token that was shown last over this connection. */
  nameOf(socket: Socket): string | undefined {
    return this.#connections.get(socket)?.entry.name;
  }

  /** Says how a connection is ended if its token is taken away; without it, it is cut off. */
  endBy(socket: Socket, end: Shown['end']): void {
    const shown = this.#connections.get(socket);
    if (shown) this.#connections.set(socket, { entry: shown.entry, end });
  }

  /**
   * Reads the file again, and ends the connections of tokens that are gone or have another role. Throws
   * `token-file-unusable`, and then all stays as it is. Returns the differences.
   */
  reload(): TokenChange[] {
    if (this.#entries === undefined) return [];
    const before = this.#entries;
    const entries = readTokenFile(this.file);
    this.#entries = entries;
    for (const { entry, end } of [...this.#connections.values()]) {
      const same = entries.some((other) => sayOf(other) === sayOf(entry));
      if (!same) end('token-unknown');
    }
    return changesBetween(before, entries);
  }

  #remember(socket: Socket, entry: TokenEntry): void {
    const known = this.#connections.get(socket);
    if (known?.entry === entry) return;
    if (!known) socket.once('close', () => this.#connections.delete(socket));
    this.#connections.set(socket, { entry, end: () => socket.destroy() });
    if (entry.expires !== undefined) this.#endAtExpiry(socket, entry);
  }

  #endAtExpiry(socket: Socket, entry: TokenEntry): void {
    const shown = this.#connections.get(socket);
    if (shown?.entry !== entry) return;
    const left = Date.parse(entry.expires as string) - Date.now();
    if (left <= 0) {
      shown.end('token-expired');
      return;
    }
    const timer = setTimeout(() => this.#endAtExpiry(socket, entry), Math.min(left, LONGEST_MS)).unref();
    socket.once('close', () => clearTimeout(timer));
  }
}

function requireAccess(token: ShownToken, access: RequiredRole, machine?: string): void {
  if (!allows(token.role, access)) throw new SouthbridgeError('role-too-low', { has: token.role, role: access });
  if (machine !== undefined) requireGoodFor(token, machine);
}

function isExpired({ expires }: ShownToken): boolean {
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

function changesBetween(before: readonly TokenEntry[], after: readonly TokenEntry[]): TokenChange[] {
  const named = (entries: readonly TokenEntry[], { name }: TokenEntry) => entries.find((entry) => entry.name === name);
  const removed = before.filter((entry) => !named(after, entry)).map((entry) => changeOf(entry, 'removed'));
  const others = after.flatMap((entry) => {
    const known = named(before, entry);
    if (!known) return [changeOf(entry, 'added')];
    return sayOf(known) === sayOf(entry) ? [] : [changeOf(entry, 'changed')];
  });
  return [...removed, ...others];
}

function changeOf({ name, role, machines, expires }: TokenEntry, change: TokenChange['change']): TokenChange {
  return { token: name, change, role, limits: limitsText({ machines, expires }) };
}

/** All that a connection depends on. */
function sayOf({ role, hash, machines, expires }: TokenEntry): string {
  return [role, hash.toString('hex'), ...limitsText({ machines, expires })].join(' ');
}

/** Throws `token-in-url`: what is in a URL ends up in logs and histories. */
export function refuseTokenInUrl(url: string): void {
  if (url.includes(TOKEN_PREFIX) || TOKEN_KEY.test(url)) throw new SouthbridgeError('token-in-url');
}

/** The token of a request: from its header, or, as browsers can set none, from the subprotocols of a WebSocket. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const [, token] = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  return token ?? bearerOf(headers['sec-websocket-protocol']);
}

/** Looks at every entry, so that the time tells nothing of which one it was. */
function find(entries: readonly TokenEntry[], token: string): TokenEntry | undefined {
  const hash = hashOf(token);
  let found: TokenEntry | undefined;
  for (const entry of entries) if (timingSafeEqual(entry.hash, hash)) found = entry;
  return found;
}
