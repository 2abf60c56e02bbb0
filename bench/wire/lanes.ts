import { once } from 'node:events';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { PROTO_SUBPROTOCOL } from '../../src/wire/subprotocols.js';

/** Connections to one server, each of which keeps a number of frames in flight: it sends one for each that comes back. */
export class Lanes {
  private constructor(
    readonly sockets: readonly WebSocket[],
    readonly frame: Uint8Array,
  ) {}

  /** `urls`: of each connection. One that says `hello` is ready when it has. */
  static async open(urls: readonly string[], frame: Uint8Array, greets: boolean): Promise<Lanes> {
    const sockets = await Promise.all(urls.map((url) => connect(url, greets)));
    return new Lanes(sockets, frame);
  }

  /** Round trips per second for `ms` milliseconds, and each one's duration in ns. */
  async run(depth: number, ms: number): Promise<{ perSecond: number; latency: RecordableHistogram }> {
    const latency = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
    const begin = performance.now();
    const end = begin + ms;
    const counts = await Promise.all(this.sockets.map((socket) => this.#drive(socket, depth, end, latency)));
    const seconds = (performance.now() - begin) / 1000;
    return { perSecond: counts.reduce((sum, count) => sum + count, 0) / seconds, latency };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.close();
    await Promise.all(this.sockets.map((socket) => once(socket, 'close')));
  }

  #drive(socket: WebSocket, depth: number, end: number, latency: RecordableHistogram): Promise<number> {
    return new Promise((resolve, reject) => {
      const sent = new Float64Array(depth);
      let first = 0;
      let inFlight = 0;
      let count = 0;
      const send = () => {
        sent[(first + inFlight) % depth] = performance.now();
        inFlight++;
        socket.send(this.frame);
      };
      const failed = () => reject(new Error('the connection ended'));
      socket.on('close', failed);
      const receive = () => {
        const now = performance.now();
        latency.record(Math.max(1, Math.round((now - sent[first]) * 1e6)));
        first = (first + 1) % depth;
        inFlight--;
        count++;
        if (now < end) send();
        else if (inFlight === 0) {
          socket.off('message', receive);
          socket.off('close', failed);
          resolve(count);
        }
      };
      socket.on('message', receive);
      while (inFlight < depth) send();
    });
  }
}

function connect(url: string, greets: boolean): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, greets ? [PROTO_SUBPROTOCOL] : [], { perMessageDeflate: false });
    socket.once('error', reject);
    socket.once(greets ? 'message' : 'open', () => resolve(socket));
  });
}
