import { resourceUrl } from './address.js';
import { httpRequest } from './http-request.js';
import { IrqStream, type IrqStreamOptions } from './irq-stream.js';
import { RequestError } from './request-error.js';
import { Vcpu, type VcpuOptions } from './vcpu.js';
import type { SocketConstructor } from './web-socket.js';

export interface ServerOptions {
  /** Bearer token, where the server wants one. */
  readonly token?: string;
  /** In place of the platform's own, or of this package's own where there is none (Node before 22). */
  readonly WebSocket?: SocketConstructor;
}

/** A machine as the server describes it: `GET /v1/machines/:machine`. */
export interface MachineDescription {
  readonly name: string;
  readonly [key: string]: unknown;
}

/**
 * A server: its machines by HTTP, and vCPUs and IRQ streams of them.
 *
 * ```js
 * const server = new Southbridge('http://127.0.0.1:8080');
 * await server.createMachine({ name: 'vm-1', locking: 'lockless-irq' });
 * const vcpu = await server.vcpu('vm-1', 0);
 * ```
 */
export class Southbridge {
  constructor(
    /** `http:` or `https:`, or `unix:PATH` of a server's Unix socket. */
    readonly url: string,
    readonly options: ServerOptions = {},
  ) {}

  async machines(): Promise<MachineDescription[]> {
    const { machines } = (await this.request('GET', '/v1/machines')) as { machines: MachineDescription[] };
    return machines;
  }

  /** Makes a machine; every key but the name may be left out (docs/configuration.md). */
  createMachine(config: { readonly name: string; readonly [key: string]: unknown }): Promise<MachineDescription> {
    return this.request('POST', '/v1/machines', config) as Promise<MachineDescription>;
  }

  async deleteMachine(name: string): Promise<void> {
    await this.request('DELETE', `/v1/machines/${encodeURIComponent(name)}`);
  }

  vcpu(machine: string, vcpu: number, options: VcpuOptions = {}): Promise<Vcpu> {
    return Vcpu.connect(this.url, machine, vcpu, { ...this.options, ...options });
  }

  irqs(machine: string, options: IrqStreamOptions = {}): Promise<IrqStream> {
    return IrqStream.connect(this.url, machine, { ...this.options, ...options });
  }

  /** Any other request of the HTTP API (`/docs` on the server lists them): the body of the answer. Rejects with RequestError. */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const { token } = this.options;
    const { status, ok, isJson, text } = await httpRequest(resourceUrl(this.url, path), {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (ok) return isJson && text !== '' ? JSON.parse(text) : text;
    const { error } = isJson ? JSON.parse(text) : { error: { code: 'bad-answer', message: text.slice(0, 200) } };
    const { code, message, ...details } = error;
    throw new RequestError(code, message, details, status);
  }
}
