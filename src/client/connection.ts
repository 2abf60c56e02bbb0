import { readServerFrame } from '../protocol/protobuf/answers.js';
import type { ServerHello, ServerMessage } from '../protocol/server-message.js';
import { isUnix } from './address.js';
import { NodeSocket } from './node-socket.js';
import { Places } from './places.js';
import { type Reconnection, Tries } from './reconnection.js';
import { closeError, isPassing, upgradeError } from './refusal.js';
import { connectionLost, type RequestError } from './request-error.js';
import type { Socket as AnySocket, SocketConstructor } from './web-socket.js';

/** Version 1.1, and version 1 for a server that has no sessions. */
export const SUBPROTOCOLS: readonly string[] = ['southbridge.v1.1.proto', 'southbridge.v1.proto'];
/** A token is shown as one more subprotocol: unlike a URL it reaches no log, and browsers can send no header. */
const TOKEN_PREFIX = 'southbridge.bearer.';
const OPEN = 1;
/** RFC 6455: the connection ended without a close frame, and so without a reason. */
const ABNORMAL_CLOSURE = 1006;
const CONNECT_MS = 10_000;

/** `connecting`: before the first hello; `open`; `away`: lost, retrying; `ended`: final. */
export type ConnectionState = 'connecting' | 'open' | 'away' | 'ended';

export interface ConnectionOptions {
  /** Bearer token, where the server wants one. */
  readonly token?: string;
  /** In place of the platform's own, or of this package's own where there is none (Node before 22). */
  readonly WebSocket?: SocketConstructor;
  /** How to come back after the connection was lost; false: not at all. */
  readonly reconnect?: Reconnection | false;
  /** Milliseconds within which the server's first message has to come after a try to connect begins. 10,000 if not given. */
  readonly connectMs?: number;
  /** False: in a cluster, nodes forward the frames; the client does not connect to the node that has the machine. */
  readonly follow?: boolean;
}

export interface ConnectionEvents {
  /** Path and query of the next try, and the subprotocols it offers, without the token's. */
  resource(): { readonly path: string; readonly protocols: readonly string[] };
  hello(message: ServerHello): void;
  /** Any other message. */
  frame(frame: Uint8Array): void;
  /** The connection is lost; another may follow. */
  lost(error: RequestError): void;
  /** No other connection follows. */
  ended(error: RequestError | undefined): void;
}

/** Nodes in a row that may send a client on, within one try. */
const MOST_HOPS = 4;

/** One WebSocket after the other to the same machine. */
export class Connection {
  #socket: AnySocket | undefined;
  #state: ConnectionState = 'connecting';
  #closing = false;
  readonly #tries: Tries;
  readonly #places: Places;

  constructor(
    readonly server: string,
    readonly options: ConnectionOptions,
    readonly events: ConnectionEvents,
  ) {
    this.#tries = new Tries(options.reconnect);
    this.#places = new Places(server, options.follow !== false);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Resolves after the server's first hello. Rejects if the first connection fails. */
  async open(): Promise<void> {
    const error = await this.#connect(this.#socketClass());
    if (!error) return;
    this.#state = 'ended';
    throw error;
  }

  /** Whether a frame can be sent. */
  get isOpen(): boolean {
    return this.#socket?.readyState === OPEN;
  }

  send(frame: Uint8Array): void {
    this.#socket?.send(frame as Uint8Array<ArrayBuffer>);
  }

  close(): void {
    this.#closing = true;
    this.#socket?.close(1000, 'done');
    if (!this.#socket) this.#end(undefined);
  }

  #end(error: RequestError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.events.ended(error);
  }

  /** The constructor that was given, or the platform's own; other than this package's own, none knows Unix sockets. */
  #socketClass(): SocketConstructor {
    if (isUnix(this.server)) return NodeSocket;
    return this.options.WebSocket ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket ?? NodeSocket;
  }

  /** Resolves with undefined after the hello of the owner, or with what went wrong before. */
  async #connect(Socket: SocketConstructor): Promise<RequestError | undefined> {
    let error: RequestError | undefined;
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      error = await this.#try(Socket);
      if (error?.code !== 'machine-elsewhere') break;
    }
    return error;
  }

  async #try(Socket: SocketConstructor): Promise<RequestError | undefined> {
    const { path, protocols } = this.events.resource();
    const url = this.#places.url(path);
    const { token, connectMs = CONNECT_MS } = this.options;
    const offered = [...protocols, ...this.#places.protocols, ...(token === undefined ? [] : [TOKEN_PREFIX + token])];
    const socket = new Socket(url, offered);
    socket.binaryType = 'arraybuffer';
    const close = await this.#hello(Socket, socket, url, connectMs);
    if (!Array.isArray(close)) return close;
    const [code, reason] = close;
    const error = await (code === ABNORMAL_CLOSURE
      ? upgradeError(url, token, connectMs)
      : closeError(url, code, reason));
    this.#places.failed();
    return error;
  }

  /** Resolves with undefined after hello, with why it is refused, or with code and reason of a close that came before. */
  #hello(
    Socket: SocketConstructor,
    socket: AnySocket,
    url: string,
    ms: number,
  ): Promise<[code: number, reason: string] | RequestError | undefined> {
    return new Promise((resolve) => {
      let greeted = false;
      const settle = (close?: [code: number, reason: string] | RequestError) => {
        clearTimeout(late);
        resolve(close);
      };
      // A connection whose hello was lost on the way would stay silent forever.
      const late = setTimeout(() => {
        socket.onmessage = null;
        settle([ABNORMAL_CLOSURE, '']);
        socket.close();
      }, ms);
      // Not all of them report the end of a connection that never was (Node 22 does not).
      socket.onerror = () => {
        if (!greeted) settle([ABNORMAL_CLOSURE, '']);
      };
      socket.onmessage = ({ data }: { readonly data: ArrayBuffer }) => {
        const frame = new Uint8Array(data);
        let message: ServerMessage | undefined;
        try {
          message = greeted ? undefined : readServerFrame(frame);
        } catch {
          socket.onmessage = null;
          settle([ABNORMAL_CLOSURE, '']);
          socket.close();
          return;
        }
        if (message?.type !== 'hello') {
          this.events.frame(frame);
          return;
        }
        const refusal = this.#places.refusal(message);
        if (refusal) {
          socket.onmessage = null;
          settle(refusal);
          socket.close();
          return;
        }
        greeted = true;
        this.#socket = socket;
        this.#state = 'open';
        this.#tries.succeeded();
        this.events.hello(message);
        settle();
      };
      socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
        if (!greeted) settle([code, reason]);
        else this.#lost(Socket, url, closeError(url, code, reason));
      };
    });
  }

  async #lost(Socket: SocketConstructor, url: string, first: RequestError): Promise<void> {
    this.#socket = undefined;
    this.#state = 'away';
    this.events.lost(connectionLost(url));
    let error: RequestError | undefined = first;
    while (!this.#closing && error && isPassing(error) && (await this.#tries.next())) {
      if (this.#closing) break;
      error = await this.#connect(Socket);
    }
    if (this.#closing) {
      (this.#socket as AnySocket | undefined)?.close(1000, 'done');
      this.#end(undefined);
    } else if (error) this.#end(error);
  }
}
