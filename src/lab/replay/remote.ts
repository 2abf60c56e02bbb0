import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { resourceUrl, targetOf } from '../../client/address.js';
import { httpRequest } from '../../client/http-request.js';
import { socketUrl } from '../../client/web-socket.js';
import { RemoteMachine } from './remote-machine.js';
import {
  type ReplayMachine,
  type ReplayOptions,
  type ReplayTarget,
  TargetLost,
  TargetRefusal,
  TargetUnreachable,
} from './target.js';
import type { Trace } from './trace.js';

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

  async open(trace: Trace, options: ReplayOptions): Promise<ReplayMachine> {
    const name = `replay-${randomBytes(6).toString('hex')}`;
    await this.#request('POST', '/v1/machines', machineConfiguration(name, trace, options));
    this.#machines.add(name);
    try {
      const socket = await openSocket(socketUrl(this.name, `/v1/machines/${name}/vcpus/0`), this.token);
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

function machineConfiguration(name: string, trace: Trace, options: ReplayOptions): object {
  return {
    name,
    clock: 'manual',
    locking: options.locking,
    metrics: options.metrics ?? 'shared',
    hpet: {
      timers: trace.hpet.timers,
      msi: trace.hpet.msi,
      routingCapability: `0x${trace.hpet.routingCapability.toString(16).padStart(8, '0')}`,
      profile: options.profile,
      quirks: options.quirks,
    },
    ioapic: { version: `0x${trace.ioapicVersion.toString(16)}` },
    // The golden traces were recorded from the HPET and the IOAPIC alone, or from the 8259 pair alone.
    pic: trace.kind === 'pic',
    vcpus: 1,
  };
}

function openSocket(url: string, token: string | undefined): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const { socketPath, path } = targetOf(url);
    const socket = new WebSocket(socketPath === undefined ? url : `ws://localhost${path}`, 'southbridge.v1.json', {
      ...(socketPath !== undefined && { createConnection: () => connect(socketPath) }),
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
