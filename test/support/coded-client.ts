import { WebSocket } from 'ws';
import type { ClientMessage } from '../../src/protocol/client-message.js';
import type { ClientCodec } from '../../src/protocol/codec.js';
import type { ServerMessage } from '../../src/protocol/server-message.js';

/** A vCPU that speaks one form of the protocol. Everything that arrives is kept, in order. */
export class CodedClient {
  readonly received: ServerMessage[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  /** Replies and errors. */
  #answers = 0;

  private constructor(
    readonly socket: WebSocket,
    readonly codec: ClientCodec,
  ) {
    socket.on('message', (data, isBinary) =>
      this.#receive(codec.decode(isBinary ? new Uint8Array(data as Buffer) : String(data))),
    );
  }

  /** Resolves after `hello`. */
  static async connect(url: string, codec: ClientCodec, protocols: readonly string[] = []): Promise<CodedClient> {
    const socket = new WebSocket(url, [codec.subprotocol, ...protocols], { perMessageDeflate: false });
    const client = new CodedClient(socket, codec);
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('message', resolve);
    });
    return client;
  }

  send(message: ClientMessage): void {
    this.socket.send(this.codec.encode(message));
  }

  /** Resolves when so many requests have been answered. */
  answers(count: number): Promise<void> {
    if (this.#answers >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Sends a frame as it is and returns its answer. */
  async frame(data: string | Uint8Array): Promise<ServerMessage> {
    const answered = this.answers(this.#answers + 1);
    this.socket.send(data);
    await answered;
    return this.received.at(-1) as ServerMessage;
  }

  #receive(message: ServerMessage): void {
    this.received.push(message);
    if (message.type !== 'reply' && message.type !== 'error') return;
    this.#answers++;
    for (const { count, resolve } of this.#waiting) if (count <= this.#answers) resolve();
  }
}
