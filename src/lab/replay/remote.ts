import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { RemoteMachine } from './remote-machine.js';
import {
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
  readonly name: string;
  readonly #base: string;
  /** Machines that are to be deleted yet. */
  readonly #machines = new Set<string>();

  constructor(
    url: URL,
    readonly token?: string,
  ) {
    this.#base = url.href.replace(/\/+$/, '');
    this.name = this.#base;
  }

  async open(setup: Setup, options: ReplayOptions): Promise<ReplayMachine> {
    const name = `replay-${randomBytes(6).toString('hex')}`;
    await this.#request('POST', '/v1/machines', machineConfiguration(name, setup, options));
    this.#machines.add(name);
    try {
      const socket = await openSocket(`${this.#base.replace(/^http/, 'ws')}/v1/machines/${name}/vcpus/0`, this.token);
      const machine = new RemoteMachine(socket, () => this.#delete(name));
      await machine.subscribe();
      return machine;
    } catch (error) {
      // What went wrong first is what is told.
      await this.#delete(name).catch(() => {});
      throw error;
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
    const what = `${method} ${this.#base}${path}`;
    const init: RequestInit = { method, signal: AbortSignal.timeout(PATIENCE_MS) };
    init.headers = {
      ...(body && { 'content-type': 'application/json' }),
      ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
    };
    if (body) init.body = JSON.stringify(body);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#base + path, init);
      text = await response.text();
    } catch (error) {
      throw new TargetUnreachable(`${what}: ${reasonOf(error)}`);
    }
    if (!response.ok) throw new TargetRefusal(`${what}: ${response.status} ${textOfError(text)}`.trimEnd());
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
      quirks: options.quirks,
    },
    ioapic: { version: `0x${setup.ioapicVersion.toString(16)}` },
    // The golden traces were recorded from the HPET and the IOAPIC alone, or from the 8259 pair alone.
    pic: setup.kind === 'pic',
    vcpus: 1,
  };
}

function openSocket(url: string, token: string | undefined): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'southbridge.v1.json', {
      handshakeTimeout: PATIENCE_MS,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    // No event may pass before the machine listens: the socket is paused until then.
    socket.once('open', () => {
      socket.pause();
      socket.removeAllListeners();
      resolve(socket);
    });
    socket.once('error', (error) => reject(new TargetLost(`${url}: ${reasonOf(error)}`)));
    socket.once('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.once('close', () =>
        reject(new TargetRefusal(`${url}: ${response.statusCode} ${textOfError(text)}`.trimEnd())),
      );
    });
  });
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
