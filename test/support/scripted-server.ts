import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage } from '../../src/protocol/client-message.js';
import { isRequest } from '../../src/protocol/messages.js';
import { protoCodec, sessionProtoCodec } from '../../src/protocol/protobuf/codec.js';
import type { ServerHello, ServerMessage } from '../../src/protocol/server-message.js';
import { SERVER_EXAMPLES } from '../conformance/examples.js';

/** A server that answers each request as the script says, and keeps the frames. */
export class ScriptedServer {
  readonly frames: Buffer[] = [];
  hello = SERVER_EXAMPLES['hello-vcpu'] as ServerHello;
  /** Sent before the reply to the next request, and in place of its reply; the id becomes that of the request. */
  events: ServerMessage[] = [];
  reply: ServerMessage | undefined;
  /** Sent after the next resume. */
  resumedEvents: ServerMessage[] = [];
  /** No request gets a reply, until the connection is dropped. */
  isSilent = false;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the client sends
  onRequest: (message: any) => void = () => {};
  socket: WebSocket | undefined;
  /** Subprotocols that each connection offered. */
  readonly offered: string[] = [];

  static async start(t: Test): Promise<[script: ScriptedServer, url: string]> {
    const script = new ScriptedServer();
    const http = createServer().listen(0, '127.0.0.1');
    const server = new WebSocketServer({ server: http, handleProtocols: ([first]) => first });
    server.on('connection', (socket, { headers }) => {
      script.socket = socket;
      script.offered.push(headers['sec-websocket-protocol'] ?? '');
      socket.send(protoCodec.encode(script.hello));
      socket.on('message', (data) => script.#answer(socket, data as Buffer));
    });
    t.teardown(() => {
      for (const client of server.clients) client.terminate();
      http.close();
    });
    await new Promise((resolve) => http.once('listening', resolve));
    return [script, `ws://127.0.0.1:${(http.address() as AddressInfo).port}`];
  }

  /** What the client sent. */
  messages(): ClientMessage[] {
    return this.frames.map((frame) => sessionProtoCodec.decode(frame, true));
  }

  drop(): void {
    this.isSilent = false;
    this.onRequest = () => {};
    this.socket?.terminate();
  }

  #answer(socket: WebSocket, frame: Buffer): void {
    this.frames.push(frame);
    const message = sessionProtoCodec.decode(frame, true);
    if (message.type === 'resume')
      for (const event of this.resumedEvents.splice(0)) socket.send(protoCodec.encode(event));
    if (!isRequest(message)) return;
    const isSilent = this.isSilent || (message.type === 'access' && message.access.posted);
    this.onRequest(message);
    if (isSilent) return;
    const { id } = message;
    for (const event of this.events.splice(0)) socket.send(protoCodec.encode(event));
    const isRead = message.type === 'access' && !message.access.write;
    const reply = this.reply ?? { type: 'reply', id, ...(isRead && { value: { low: 0, high: 0, size: 8 } }) };
    this.reply = undefined;
    socket.send(protoCodec.encode({ ...reply, id } as ServerMessage));
  }
}
