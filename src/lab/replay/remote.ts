import { randomBytes } from 'node:crypto';
import { resourceUrl } from '../../client/address.js';
import { httpRequest } from '../../client/http-request.js';
import { RequestError } from '../../client/request-error.js';
import { RemoteMachine } from './remote-machine.js';
import {
  NEVER_REPLAYED,
  type ReplayMachine,
  type ReplayOptions,
  type ReplayTarget,
  type Setup,
  TargetLost,
  TargetRefusal,
  TargetUnreachable,
} from './target.js';

/** For a request, and for opening or closing a socket. */
const PATIENCE_MS = 10_000;

/** Replays on a server: a machine of its own for each trace, driven over its vCPU socket and deleted at the end. */
export class RemoteTarget implements ReplayTarget {
  /** The URL of the server. */
  readonly name: string;
  /** Machines that are to be deleted yet. */
  readonly #machines = new Set<string>();

  constructor(
    url: string | URL,
    readonly token?: string,
  ) {
    this.name = String(url).replace(/\/+$/, '');
  }

  async open(setup: Setup, options: ReplayOptions): Promise<ReplayMachine> {
    const name = `replay-${randomBytes(6).toString('hex')}`;
    await this.#request('POST', '/v1/machines', machineConfiguration(name, setup, options));
    this.#machines.add(name);
    try {
      const remove = () => this.#delete(name);
      return await RemoteMachine.open(this.name, name, { token: this.token, connectMs: PATIENCE_MS, remove });
    } catch (error) {
      // The first error is the one to report.
      await this.#delete(name).catch(() => {});
      if (!(error instanceof RequestError)) throw error;
      // A server that answers refuses this machine only.
      throw error.code === 'connection-refused' ? new TargetLost(error.message) : new TargetRefusal(error.message);
    }
  }

  /** Deletes what a run that was broken off has left. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#machines].map((name) => this.#delete(name)));
  }

  async #delete(name: string): Promise<void> {
    if (this.#machines.delete(name)) await this.#request('DELETE', `/v1/machines/${name}`);
  }

  async #request(method: string, path: string, body?: object): Promise<void> {
    const url = resourceUrl(this.name, path);
    const headers = {
      ...(body && { 'content-type': 'application/json' }),
      ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
    };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await httpRequest(url, {
      method,
      headers,
      signal,
      ...(body && { body: JSON.stringify(body) }),
    }).catch((error) => {
      throw new TargetUnreachable(`${method} ${url}: ${reasonOf(error)}`);
    });
    const { ok, status, text } = answer;
    if (!ok) throw new TargetRefusal(`${method} ${url}: ${status} ${textOfError(text)}`.trimEnd());
  }
}

function machineConfiguration(name: string, setup: Setup, options: ReplayOptions): object {
  return {
    name,
    clock: 'manual',
    locking: options.locking,
    metrics: options.metrics ?? 'shared',
    hpet: {
      timers: setup.hpet.timers,
      msi: setup.hpet.msi,
      routingCapability: `0x${setup.hpet.routingCapability.toString(16).padStart(8, '0')}`,
      profile: options.profile,
      quirks: { ...options.quirks, ...NEVER_REPLAYED },
    },
    ioapic: { version: `0x${setup.ioapicVersion.toString(16)}` },
    // The golden traces were recorded from the HPET and the IOAPIC alone, or from the 8259 pair alone.
    pic: setup.kind === 'pic',
    vcpus: 1,
  };
}

/** The code and message of a coded error; of anything else, how it begins. */
function textOfError(text: string): string {
  try {
    const { code, message } = JSON.parse(text).error;
    if (message) return code ? `${code}: ${message}` : message;
  } catch {}
  return text.slice(0, 200);
}

/** What `fetch` and `ws` hide in causes. */
function reasonOf(error: unknown): string {
  const { message, cause, code } = error as Error & { code?: string };
  if (cause) return reasonOf(cause);
  return message || code || String(error);
}
