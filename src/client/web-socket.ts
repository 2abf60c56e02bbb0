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

/** Seen by programs for browsers, which have it, and never by Node before 22, which has not. */
const PACKAGE = 'ws';

/** The constructor that was given, or the platform's own, or that of the package `ws`. */
export async function socketConstructor(given: SocketConstructor | undefined): Promise<SocketConstructor> {
  const own = given ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (own) return own;
  const { WebSocket } = (await import(PACKAGE)) as { WebSocket: SocketConstructor };
  return WebSocket;
}

/** `http:` and `https:` are taken as well as `ws:` and `wss:`. */
export function socketUrl(url: string, path: string): string {
  return url.replace(/^http/, 'ws').replace(/\/$/, '') + path;
}
