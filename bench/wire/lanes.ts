import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { PROTO_SUBPROTOCOL } from '../../src/protocol/subprotocols.js';

/** A connection, with the stream under it. */
interface Lane {
  readonly socket: WebSocket;
  readonly stream: Socket;
}

/**
 * Connections to one server, each of which keeps a number of frames in flight: it sends one for each that comes back.
 *
 * What a connection sends in one turn of the event loop it gives to the operating system together, unless `apart`: with
 * a system call for each frame, the driver takes a whole core before any server does, and what is measured is the driver.
 */
export class Lanes {
  private constructor(
    readonly lanes: readonly Lane[],
    readonly frame: Uint8Array,
    readonly apart: boolean,
  ) {}

  /** `urls`: of each connection. One that says `hello` is ready when it has. */
  static async open(urls: readonly string[], frame: Uint8Array, greets: boolean, apart = false): Promise<Lanes> {
    const lanes = await Promise.all(urls.map((url) => connect(url, greets)));
    return new Lanes(lanes, frame, apart);
  }

  /** Round trips per second for `ms` milliseconds, and each one's duration in ns. */
  async run(depth: number, ms: number): Promise<{ perSecond: number; latency: RecordableHistogram }> {
    const latency = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
    const begin = performance.now();
    const end = begin + ms;
    const counts = await Promise.all(this.lanes.map((lane) => this.#drive(lane, depth, end, latency)));
    const seconds = (performance.now() - begin) / 1000;
    return { perSecond: counts.reduce((sum, count) => sum + count, 0) / seconds, latency };
  }

  async close(): Promise<void> {
    for (const { socket } of this.lanes) socket.close();
    await Promise.all(this.lanes.map(({ socket }) => once(socket, 'close')));
  }

  #drive({ socket, stream }: Lane, depth: number, end: number, latency: RecordableHistogram): Promise<number> {
    return new Promise((resolve, reject) => {
      const sent = new Float64Array(depth);
      let first = 0;
      let inFlight = 0;
      let count = 0;
      let corked = false;
      const uncork = () => {
        corked = false;
        stream.uncork();
      };
      const send = () => {
        if (!this.apart && !corked) {
          corked = true;
          stream.cork();
          process.nextTick(uncork);
        }
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

function connect(url: string, greets: boolean): Promise<Lane> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, greets ? [PROTO_SUBPROTOCOL] : [], { perMessageDeflate: false });
    socket.once('error', reject);
    socket.once('upgrade', ({ socket: stream }: IncomingMessage) => {
      socket.once(greets ? 'message' : 'open', () => resolve({ socket, stream }));
    });
  });
}
