import { WebSocket } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: whatever the server sends
export type Message = any;

export interface VcpuClientOptions {
  readonly resumeToken?: string;
  readonly protocols?: readonly string[];
  readonly headers?: { readonly [name: string]: string };
}

/** Thrown when the server refuses to upgrade, or closes right after it with a code of 4000 and the status. */
export class UpgradeRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: Message,
  ) {
    super(`${status} ${JSON.stringify(body)}`);
  }
}

const JSON_PROTOCOL = 'southbridge.v1.json';

/** A vCPU as a client sees it. Everything that arrives is kept, in order. */
export class VcpuClient {
  readonly received: Message[] = [];
  /** Code and reason with which the socket closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  #id = 0;
  readonly #unread: Message[] = [];
  readonly #waiting: { matches: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Resolves after `hello`. Rejects with UpgradeRefused. */
  static async connect(url: string, options: VcpuClientOptions = {}): Promise<VcpuClient> {
    const { resumeToken, headers } = options;
    const protocols = [...(options.protocols ?? [JSON_PROTOCOL])];
    if (resumeToken !== undefined) protocols.push(`southbridge.resume.${resumeToken}`);
    const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
    const client = new VcpuClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => reject(new UpgradeRefused(response.statusCode ?? 0, JSON.parse(text))));
      });
      socket.once('open', resolve);
    });
    socket.on('error', () => {});
    const refused = client.closed.then(({ code, reason }) => {
      throw new UpgradeRefused(code - 4000, { error: { code: reason } });
    });
    await Promise.race([client.next(({ type }) => type === 'hello'), refused]);
    refused.catch(() => {});
    return client;
  }

  get hello(): Message {
    return this.received[0];
  }

  get interrupts(): Message[] {
    return this.received.filter(({ type }) => type === 'interrupt');
  }

  /** The next message that matches and was not returned before. */
  next(matches: (message: Message) => boolean): Promise<Message> {
    const index = this.#unread.findIndex(matches);
    if (index >= 0) return Promise.resolve(this.#unread.splice(index, 1)[0]);
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  interrupt(vector: number): Promise<Message> {
    return this.next((message) => message.type === 'interrupt' && message.vector === vector);
  }

  /** Sends a message and returns its reply or error. */
  request(message: object): Promise<Message> {
    const id = ++this.#id;
    const reply = this.#reply(id);
    this.socket.send(JSON.stringify({ ...message, id }));
    return reply;
  }

  /** Sends a frame as it is and returns the next reply or error. */
  frame(data: string | Buffer): Promise<Message> {
    const reply = this.next(({ type }) => type === 'reply' || type === 'error');
    this.socket.send(data);
    return reply;
  }

  async read(address: number, size: number): Promise<bigint> {
    const { value } = await this.request({ type: 'read', address: hex(address), size });
    return BigInt(value);
  }

  /** Throws for a value that no register holds: a test that does not look at the refusal would wait for its effect. */
  write(address: number, size: number, value: number | bigint): Promise<Message> {
    if (value < 0 || value >= 2n ** 64n) throw new RangeError(`${value} has more than 64 bits`);
    return this.request({ type: 'write', address: hex(address), size, value: hex(value) });
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #reply(id: number): Promise<Message> {
    return new Promise((resolve) =>
      this.#waiting.push({
        matches: (message) => (message.type === 'reply' || message.type === 'error') && message.id === id,
        resolve,
      }),
    );
  }

  #receive(message: Message): void {
    this.received.push(message);
    const index = this.#waiting.findIndex(({ matches }) => matches(message));
    if (index >= 0) this.#waiting.splice(index, 1)[0].resolve(message);
    else this.#unread.push(message);
  }
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
