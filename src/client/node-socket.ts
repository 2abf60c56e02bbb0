import type { ClientRequest } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import { nodeModule, targetOf } from './address.js';
import { CLOSE, CONTINUATION, clientFrame, FrameReader, PING, PONG, TEXT } from './node-frames.js';
import type { Socket } from './web-socket.js';

/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];
/** RFC 6455, 7.4.1: the connection ended without a close frame; a close frame had no code; a frame breaks the rules. */
const ABNORMAL_CLOSURE = 1006;
const NO_STATUS = 1005;
const PROTOCOL_ERROR = 1002;
/** For the server's answer to a close frame. */
const CLOSE_MS = 2000;

type Handler = ((event: never) => void) | null;

/**
 * A WebSocket for Node, over TCP, TLS or a Unix socket, without extensions: for Node before 22, which has none of its
 * own, and for Unix sockets, of which those of all versions know nothing.
 */
export class NodeSocket implements Socket {
  binaryType = 'arraybuffer';
  readyState: number = CONNECTING;
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  readonly #request: ClientRequest;
  #socket: NetSocket | undefined;
  #isCorked = false;
  #close: { readonly code: number; readonly reason: string } = { code: ABNORMAL_CLOSURE, reason: '' };
  /** Of a message in several frames. */
  #parts: Uint8Array[] = [];
  #isText = false;

  constructor(url: string, protocols: string[]) {
    const { isSecure, ...target } = targetOf(url);
    const { request } = nodeModule<typeof import('node:http')>(isSecure ? 'node:https' : 'node:http');
    const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }),
    };
    this.#request = request({ ...target, headers, agent: false });
    this.#request.on('upgrade', ({ headers: answer }, socket, head) => {
      if (answer['sec-websocket-accept'] === acceptOf(key)) this.#opened(socket as NetSocket, head);
      else {
        socket.destroy();
        this.#failed();
      }
    });
    this.#request.on('response', (response) => {
      response.destroy();
      this.#failed();
    });
    this.#request.on('error', () => this.#failed());
    this.#request.end();
  }

  send(data: Uint8Array): void {
    if (this.readyState === OPEN) this.#write(clientFrame(data));
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState === CONNECTING) {
      this.readyState = CLOSING;
      this.#request.destroy();
      this.#failed();
    } else if (this.readyState === OPEN) this.#sendClose(code, reason);
  }

  /** What is written in one turn goes out together. */
  #write(frame: Uint8Array): void {
    const socket = this.#socket as NetSocket;
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      queueMicrotask(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    socket.write(frame);
  }

  #sendClose(code: number, reason: string): void {
    this.readyState = CLOSING;
    const body = code === NO_STATUS ? new Uint8Array() : new TextEncoder().encode(`  ${reason}`);
    if (body.length > 0) new DataView(body.buffer).setUint16(0, code);
    this.#write(clientFrame(body, CLOSE));
    const socket = this.#socket as NetSocket;
    const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
    socket.once('close', () => clearTimeout(timer));
  }

  #opened(socket: NetSocket, head: Uint8Array): void {
    this.#socket = socket;
    this.readyState = OPEN;
    const reader = new FrameReader((opcode, isLast, body) => this.#frame(opcode, isLast, body));
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.on('data', (chunk: Uint8Array) => {
      if (!reader.read(chunk)) this.#broken();
    });
    // Half of a connection is of no use.
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
    this.onopen?.({} as never);
    if (head.length > 0 && !reader.read(head)) this.#broken();
  }

  #frame(opcode: number, isLast: boolean, body: Uint8Array): void {
    if (opcode === PING) {
      if (this.readyState === OPEN) this.#write(clientFrame(body, PONG));
    } else if (opcode === CLOSE) this.#closedByPeer(body);
    else if (opcode !== PONG) this.#data(opcode, isLast, body);
  }

  #closedByPeer(body: Uint8Array): void {
    const code = body.length < 2 ? NO_STATUS : (body[0] << 8) | body[1];
    this.#close = { code, reason: new TextDecoder().decode(body.subarray(2)) };
    if (this.readyState === OPEN) this.#sendClose(code, '');
    this.#socket?.end();
  }

  #data(opcode: number, isLast: boolean, body: Uint8Array): void {
    if (opcode !== CONTINUATION) this.#isText = opcode === TEXT;
    if (!isLast || opcode === CONTINUATION) this.#parts.push(body);
    if (!isLast || this.readyState !== OPEN) return;
    const whole = opcode === CONTINUATION ? joined(this.#parts.splice(0)) : body;
    // A copy: the bytes are part of what was read, and a handler may keep them.
    const data = this.#isText ? new TextDecoder().decode(whole) : new Uint8Array(whole).buffer;
    this.onmessage?.({ data } as never);
  }

  #broken(): void {
    this.#close = { code: PROTOCOL_ERROR, reason: '' };
    this.#socket?.destroy();
  }

  #failed(): void {
    if (this.readyState === CLOSED || this.#socket) return;
    queueMicrotask(() => this.onerror?.({} as never));
    queueMicrotask(() => this.#ended());
  }

  #ended(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.onclose?.(this.#close as never);
  }
}

function acceptOf(key: string): string {
  const { createHash } = nodeModule<typeof import('node:crypto')>('node:crypto');
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
