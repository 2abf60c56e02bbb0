import { readServerFrame } from '../protocol/protobuf/server-frame-reader.js';
import type { ServerHello } from '../protocol/server-message.js';
import { type Reconnection, Tries } from './reconnection.js';
import { connectionLost, RequestError } from './request-error.js';
import { type Socket as AnySocket, type SocketConstructor, socketConstructor } from './web-socket.js';

const SUBPROTOCOL = 'southbridge.v1.proto';
/** A token is shown as one more subprotocol: unlike a URL it reaches no log, and browsers can send no header. */
const TOKEN_PREFIX = 'southbridge.bearer.';
const OPEN = 1;
/** RFC 6455: the connection ended without a close frame. */
const ABNORMAL_CLOSURE = 1006;

export interface ConnectionOptions {
  /** Bearer token, where the server wants one. */
  readonly token?: string;
  /** In place of the platform's own, or of that of the package `ws`. */
  readonly WebSocket?: SocketConstructor;
  /** False: a lost connection is lost. */
  readonly reconnect?: Reconnection | false;
}

export interface ConnectionEvents {
  /** Address and further subprotocols of the next try. */
  address(): { readonly url: string; readonly protocols: readonly string[] };
  hello(message: ServerHello): void;
  /** Any other message. */
  frame(frame: Uint8Array): void;
  /** The connection is lost; another may follow. */
  lost(error: RequestError): void;
  /** No other connection follows. */
  ended(error: RequestError | undefined): void;
}

/** One WebSocket after the other to the same place. */
export class Connection {
  #socket: AnySocket | undefined;
  #closing = false;
  readonly #tries: Tries;

  constructor(
    readonly options: ConnectionOptions,
    readonly events: ConnectionEvents,
  ) {
    this.#tries = new Tries(options.reconnect);
  }

  /** Resolves after the server's first hello. Rejects if the first connection fails. */
  async open(): Promise<void> {
    const Socket = await socketConstructor(this.options.WebSocket);
    const { url } = this.events.address();
    const code = await this.#connect(Socket);
    if (code !== undefined) throw new RequestError('connection-refused', refused(url, code), { url });
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === OPEN;
  }

  send(frame: Uint8Array): void {
    this.#socket?.send(frame as Uint8Array<ArrayBuffer>);
  }

  close(): void {
    this.#closing = true;
    this.#socket?.close(1000, 'done');
    if (!this.#socket) this.events.ended(undefined);
  }

  /** Resolves with undefined after hello, or with the code of a close that came before. */
  #connect(Socket: SocketConstructor): Promise<number | undefined> {
    const { url, protocols } = this.events.address();
    const { token } = this.options;
    const offered = [SUBPROTOCOL, ...protocols, ...(token === undefined ? [] : [TOKEN_PREFIX + token])];
    const socket = new Socket(url, offered);
    socket.binaryType = 'arraybuffer';
    return new Promise((resolve) => {
      let greeted = false;
      // Not all of them tell of the end of a connection that never was (Node 22 does not).
      socket.onerror = () => {
        if (!greeted) resolve(ABNORMAL_CLOSURE);
      };
      socket.onmessage = ({ data }: { readonly data: ArrayBuffer }) => {
        const frame = new Uint8Array(data);
        const message = greeted ? undefined : readServerFrame(frame);
        if (message?.type !== 'hello') {
          this.events.frame(frame);
          return;
        }
        greeted = true;
        this.#socket = socket;
        this.#tries.succeeded();
        this.events.hello(message);
        resolve(undefined);
      };
      socket.onclose = ({ code }: { readonly code: number }) => {
        if (!greeted) resolve(code);
        else this.#lost(Socket, url, code);
      };
    });
  }

  async #lost(Socket: SocketConstructor, url: string, first: number): Promise<void> {
    this.#socket = undefined;
    const error = connectionLost(url);
    this.events.lost(error);
    let code: number | undefined = first;
    while (!this.#closing && code !== undefined && (await this.#tries.next(code))) {
      if (this.#closing) break;
      code = await this.#connect(Socket);
    }
    if (this.#closing) {
      (this.#socket as AnySocket | undefined)?.close(1000, 'done');
      this.events.ended(undefined);
    } else if (code !== undefined) this.events.ended(ended(url, code) ?? error);
  }
}

function refused(url: string, code: number): string {
  return `No connection to ${url} (close code ${code}): is the server there, and may this client use it?`;
}

function ended(url: string, code: number): RequestError | undefined {
  if (code === 4001) return new RequestError('vcpu-replaced', `Another client took over ${url}.`, { url });
  if (code === 4002) return new RequestError('machine-closing', `The machine of ${url} was deleted.`, { url });
  return undefined;
}
