import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SouthbridgeError } from '../../errors.js';
import { bearerOf } from '../../protocol/subprotocols.js';
import { type Access, allows } from './roles.js';
import { hashOf, readTokenFile, TOKEN_PREFIX, type TokenEntry } from './token-file.js';

/** `Bearer` of RFC 6750; the scheme's name in any case. */
const AUTHORIZATION = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Names under which clients of other servers put tokens into URLs. */
const TOKEN_KEY = /[?&](access_token|token|bearer)=/i;

/** A connection over which a token was shown. */
interface Shown {
  readonly entry: TokenEntry;
  /** Ends it, if the token is no longer good. */
  end(): void;
}

/** Lets in whoever shows a token with a role that is high enough; everybody, if there is no token file. */
export class Admission {
  #entries: readonly TokenEntry[] | undefined;
  readonly #connections = new Map<Socket, Shown>();

  /** Throws `token-file-unusable`. */
  constructor(readonly file: string) {
    this.#entries = file === '' ? undefined : readTokenFile(file);
  }

  /** Whether a token was shown that is good for this. Throws `token-missing`, `token-unknown` or `role-too-low`. */
  check(request: IncomingMessage, access: Access): boolean {
    if (access === 'public' || this.#entries === undefined) return false;
    const token = tokenOf(request);
    if (token === undefined) throw new SouthbridgeError('token-missing', { role: access });
    const entry = find(this.#entries, token);
    if (entry === undefined) throw new SouthbridgeError('token-unknown');
    if (!allows(entry.role, access)) throw new SouthbridgeError('role-too-low', { has: entry.role, role: access });
    this.#remember(request.socket, entry);
    return true;
  }

  /** Name of the token that was shown last over this connection. */
  nameOf(socket: Socket): string | undefined {
    return this.#connections.get(socket)?.entry.name;
  }

  /** Says how a connection is ended if its token is taken away; without it, it is cut off. */
  endBy(socket: Socket, end: () => void): void {
    const shown = this.#connections.get(socket);
    if (shown) this.#connections.set(socket, { entry: shown.entry, end });
  }

  /**
   * Reads the file again, and ends the connections of tokens that are gone or have another role. Throws
   * `token-file-unusable`, and then all stays as it is.
   */
  reload(): void {
    if (this.#entries === undefined) return;
    const entries = readTokenFile(this.file);
    this.#entries = entries;
    for (const { entry, end } of [...this.#connections.values()]) {
      const same = entries.some(({ role, hash }) => role === entry.role && hash.equals(entry.hash));
      if (!same) end();
    }
  }

  #remember(socket: Socket, entry: TokenEntry): void {
    const known = this.#connections.get(socket);
    if (known?.entry === entry) return;
    if (!known) socket.once('close', () => this.#connections.delete(socket));
    this.#connections.set(socket, { entry, end: () => socket.destroy() });
  }
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
