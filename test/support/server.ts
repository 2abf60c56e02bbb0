import { type Configuration, type ConfigurationInput, ConfigurationSchema } from '../../src/config/schema.js';
import { Validator } from '../../src/schema/validate.js';
import { startServer } from '../../src/server/boot.js';
import type { Examiner } from '../../src/server/service/examinations.js';
import { VcpuClient, type VcpuClientOptions } from './vcpu-client.js';

/** A complete configuration: any free port, and no log. */
export function configuration(input: ConfigurationInput = {}): Configuration {
  const complete = { port: 0, logLevel: 'silent', ...structuredClone(input) };
  const faults = new Validator(ConfigurationSchema).check(complete);
  if (faults.length > 0) throw new Error(`not a configuration: ${JSON.stringify(faults)}`);
  return complete as unknown as Configuration;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server answers
  readonly body: any;
}

/** A server on a free port, and what a client does with it. */
export class TestServer {
  private constructor(
    readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(input: ConfigurationInput = {}, examiner?: Examiner): Promise<TestServer> {
    const { url, close } = await startServer(configuration(input), examiner);
    return new TestServer(url, close);
  }

  /** Sends a request; `body` goes as JSON unless it is a string. */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(this.url + path, {
      method,
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text };
  }

  async get(path: string): Promise<Reply['body']> {
    const { status, body } = await this.request('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** The address of a WebSocket. */
  socketUrl(path: string): string {
    return this.url.replace(/^http/, 'ws') + path;
  }

  connect(machine: string, vcpu: number, options?: VcpuClientOptions): Promise<VcpuClient> {
    return VcpuClient.connect(this.socketUrl(`/v1/machines/${machine}/vcpus/${vcpu}`), options);
  }

  /** Comes back when the main loop has finished what it had to do before. */
  async mainLoopIdle(): Promise<void> {
    for (let rounds = 0; rounds < 2; ) {
      if ((await this.request('GET', '/readyz')).status === 200) rounds++;
    }
  }
}
