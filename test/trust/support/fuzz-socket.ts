import { WebSocket } from 'ws';
import type { ClientCodec, Frame } from '../../../src/protocol/codec.js';
import type { ServerMessage } from '../../../src/protocol/server-message.js';

/** Ids of fences; frames that are made at random hardly ever have one of them. */
const FIRST_FENCE = 0x5f00_0000;

/** A vCPU's connection that sends whatever it is given. */
export class FuzzSocket {
  #fence = FIRST_FENCE;
  #answers: ServerMessage[] = [];
  #finish: (() => void) | undefined;
  #closed: string | undefined;

  private constructor(
    readonly socket: WebSocket,
    readonly codec: ClientCodec,
  ) {
    socket.on('message', (data, isBinary) =>
      this.#receive(codec.decode(isBinary ? new Uint8Array(data as Buffer) : String(data))),
    );
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.#closed = `closed with ${code} ${reason}`;
      this.#finish?.();
    });
  }

  static async connect(url: string, codec: ClientCodec): Promise<FuzzSocket> {
    const socket = new WebSocket(url, [codec.subprotocol], { perMessageDeflate: false });
    const client = new FuzzSocket(socket, codec);
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', resolve);
    });
    return client;
  }

  /** Sends frames and waits until all are done; the replies and errors that came. Rejects if the server closes. */
  async exchange(frames: readonly Frame[]): Promise<ServerMessage[]> {
    this.#answers = [];
    const id = ++this.#fence;
    const done = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    for (const frame of frames) this.socket.send(frame);
    this.socket.send(this.codec.encode({ type: 'sync', id }));
    await done;
    if (this.#closed !== undefined) throw new Error(this.#closed);
    return this.#answers;
  }

  close(): void {
    this.socket.terminate();
  }

  #receive(message: ServerMessage): void {
    if (message.type !== 'reply' && message.type !== 'error') return;
    if (message.type === 'reply' && message.id === this.#fence) this.#finish?.();
    else this.#answers.push(message);
  }
}
