import { resourceUrl } from './address.js';

/** What a WebSocket has in browsers, in Node and in the package `ws`; as much of it as is used here. */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** `http:` and `https:` are taken as well as `ws:` and `wss:`. */
export function socketUrl(url: string, path: string): string {
  return resourceUrl(url, path).replace(/^http/, 'ws');
}
