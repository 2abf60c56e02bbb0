import { createHmac, timingSafeEqual } from 'node:crypto';
import { SouthbridgeError } from '../../errors.js';
import type { ForwardedClient } from '../security/forwarded.js';
import type { OtherNode } from '../service/cluster-port.js';
import type { Members } from './members.js';
import type { NodeSecret } from './node-secret.js';
import { isSameLife, leaseKey, type NodeLife } from './records.js';
import { ReplayWindow } from './replay-window.js';

/** What a node says of a request that it forwards, under a signature. */
interface Passport {
  readonly from: NodeLife;
  readonly to: NodeLife;
  /** Counts the requests of `from`. */
  readonly number: number;
  readonly client: ForwardedClient;
}

export interface PassportParts {
  readonly secret: NodeSecret;
  readonly members: Members;
  /** This life of the node; undefined without a lease. */
  readonly life: () => NodeLife | undefined;
}

/**
 * Proof that a node forwarded a request, for whom: an HMAC-SHA-256 under the secret of the nodes. Each is good for one request
 * of this method and URL to this life of a node, from a node whose lease is open. No clock is involved.
 */
export class Passports {
  #number = 0;
  /** By the lease of the sender. */
  readonly #windows = new Map<string, ReplayWindow>();

  constructor(readonly parts: PassportParts) {}

  /** The value of the header. Throws `lease-lost`. */
  issue({ node, incarnation }: OtherNode, method: string, url: string, client: ForwardedClient): string {
    const { secret, life } = this.parts;
    const from = life();
    const key = secret.current;
    if (!from || !key) throw new SouthbridgeError('lease-lost');
    const passport: Passport = { from, to: { node, incarnation }, number: ++this.#number, client };
    const text = Buffer.from(JSON.stringify(passport)).toString('base64url');
    return `${text}.${macOf(key, method, url, text).toString('base64url')}`;
  }

  /**
   * The client of a request that another node has forwarded. Throws `forwarding-refused` if no node has signed this, and
   * `forwarding-stale` if it was for another life of this node, or has been used.
   */
  verify(header: string, method: string, url: string): ForwardedClient {
    const [text, mac = ''] = header.split('.');
    const shown = Buffer.from(mac, 'base64url');
    const isSigned = this.parts.secret.accepted.some((key) => {
      const expected = macOf(key, method, url, text);
      return shown.length === expected.length && timingSafeEqual(shown, expected);
    });
    if (!isSigned) throw new SouthbridgeError('forwarding-refused');
    const { from, to, number, client }: Passport = JSON.parse(Buffer.from(text, 'base64url').toString());
    const isFresh = isSameLife(to, this.parts.life()) && this.parts.members.has(from) && this.#take(from, number);
    if (!isFresh) throw new SouthbridgeError('forwarding-stale', { node: from.node, retryAfter: 1 });
    return client;
  }

  #take(from: NodeLife, number: number): boolean {
    const key = leaseKey(from);
    const window = this.#windows.get(key) ?? new ReplayWindow();
    this.#windows.set(key, window);
    return window.take(number);
  }

  /** A lease that is closed never opens again. */
  closed(life: NodeLife): void {
    this.#windows.delete(leaseKey(life));
  }
}

function macOf(key: Buffer, method: string, url: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${method} ${url}\n${text}`).digest();
}
