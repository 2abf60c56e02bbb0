import type { Limits } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';

export const CONNECTION_KINDS = ['vcpu', 'irqs', 'events'] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];

/** Stands for the address of a client of the Unix socket, which has none. */
const UNIX = 'unix';

/** How many vCPUs and subscribers are connected, and from where. */
export class Connections {
  readonly #ofKind: Record<ConnectionKind, number> = { vcpu: 0, irqs: 0, events: 0 };
  readonly #ofAddress = new Map<string, number>();

  constructor(readonly limits: Pick<Limits, 'connections' | 'connectionsPerAddress'>) {}

  count(kind: ConnectionKind): number {
    return this.#ofKind[kind];
  }

  /** Throws `too-many-connections` or `too-many-from-address` if another one from this address is too many. */
  requireRoom(address = UNIX): void {
    const { connections, connectionsPerAddress } = this.limits;
    const open = CONNECTION_KINDS.reduce((sum, kind) => sum + this.#ofKind[kind], 0);
    if (open >= connections) throw new SouthbridgeError('too-many-connections', { limit: connections });
    if ((this.#ofAddress.get(address) ?? 0) >= connectionsPerAddress) {
      throw new SouthbridgeError('too-many-from-address', { address, limit: connectionsPerAddress });
    }
  }

  /** Counts one more; returns what is to be called once at its end. */
  opened(kind: ConnectionKind, address = UNIX): () => void {
    this.#ofKind[kind]++;
    this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1);
    return () => {
      this.#ofKind[kind]--;
      const left = (this.#ofAddress.get(address) ?? 0) - 1;
      if (left > 0) this.#ofAddress.set(address, left);
      else this.#ofAddress.delete(address);
    };
  }
}
