import type { ServerHello } from '../protocol/server-message.js';
import { isNode, isUnix } from './address.js';
import { RequestError } from './request-error.js';
import { socketUrl } from './web-socket.js';

/** What a client offers that goes to the owner which a hello names. */
const FOLLOW = 'southbridge.follow';

/**
 * Where a machine is: at the server that the application named, or, in a cluster, at the owner that a hello named, or at other
 * nodes. Takes no hello with a lower fence than one that it took: the frames behind it are those of an earlier owner.
 */
export class Places {
  /** The next first. */
  #servers: string[];
  #fence = 0;

  constructor(
    readonly server: string,
    /** Whether to go to owners; without it, nodes forward the frames. */
    readonly wanted: boolean,
  ) {
    this.#servers = [server];
  }

  /** The address of a resource for the next try. */
  url(path: string): string {
    return socketUrl(this.#servers[0], path);
  }

  /** A browser would need the permission of the owner (`allowedOrigins`); a local client has none but its socket's. */
  get protocols(): readonly string[] {
    return this.wanted && isNode() && !isUnix(this.server) ? [FOLLOW] : [];
  }

  /** Why a connection is not to be used after its hello: undefined, if it is. */
  refusal({ fence = 0, owner, nodes = [], machine }: ServerHello): RequestError | undefined {
    const [here] = this.#servers;
    if (fence < this.#fence) {
      this.failed();
      const message = `${here} had machine ${machine} before another node took it.`;
      return new RequestError('stale-owner', message, { fence, newest: this.#fence });
    }
    if (owner !== undefined) return this.#follow(owner, machine);
    this.#fence = fence;
    this.#servers = [...new Set([here, this.server, ...nodes.filter((node) => this.#mayUse(node))])];
    return undefined;
  }

  #follow(owner: string, machine: string): RequestError {
    if (this.#mayUse(owner)) this.#servers = [...new Set([owner, ...this.#servers])];
    else this.failed();
    return new RequestError('machine-elsewhere', `Machine ${machine} is at ${owner}.`, { owner });
  }

  /** A token that the application sends over TLS does not go anywhere without. */
  #mayUse(address: string): boolean {
    return /^https?:/.test(address) && (!/^(https|wss):/.test(this.server) || address.startsWith('https:'));
  }

  /** The next try goes to another address, if there is one. */
  failed(): void {
    this.#servers.push(this.#servers.shift() as string);
  }
}
