import type { ClientMessage } from '../../src/protocol/client-message.js';
import { isRequest } from '../../src/protocol/messages.js';
import { serverFrame } from '../../src/protocol/protobuf/answers.js';
import { sessionProtoCodec } from '../../src/protocol/protobuf/codec.js';
import type { ServerHello, ServerMessage } from '../../src/protocol/server-message.js';

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  static opened: (socket: FakeSocket) => void = () => {};
  binaryType = '';
  readyState = 0;
  onopen: unknown = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: unknown = null;
  /** What the client sent. */
  readonly messages: ClientMessage[] = [];

  constructor() {
    // The client attaches its handlers in the turn in which it makes the socket.
    queueMicrotask(() => FakeSocket.opened(this));
  }

  /** Of the requests that came. */
  get ids(): number[] {
    return this.messages.filter(isRequest).flatMap(({ type, id }) => (type === 'hello' ? [] : [id]));
  }

  send(frame: Uint8Array): void {
    this.messages.push(sessionProtoCodec.decode(frame, true));
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  receive(message: ServerMessage): void {
    this.onmessage?.({ data: Uint8Array.from(serverFrame(message)).buffer as ArrayBuffer });
  }

  /** Without an epoch, it is a server of version 1. */
  greet(hello: Partial<ServerHello> = {}): void {
    this.readyState = 1;
    this.receive({ type: 'hello', version: 1, machine: 'm', vcpu: 0, sequence: 0, capabilities: [], ...hello });
  }
}

export const nextSocket = () =>
  new Promise<FakeSocket>((resolve) => {
    FakeSocket.opened = resolve;
  });
