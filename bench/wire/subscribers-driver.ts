import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { readServerFrame } from '../../src/protocol/protobuf/answers.js';
import { PROTO_SUBPROTOCOL } from '../../src/protocol/subprotocols.js';

/** A thread with many subscribers of an IRQ stream, each of which makes sure that it gets every number once. */
const { url, count } = workerData as { readonly url: string; readonly count: number };

const totals = { received: 0, skipped: 0, wrong: 0 };
/** Number of the last event of each subscriber. */
const last = new Float64Array(count);

function receive(subscriber: number, data: Uint8Array): void {
  const message = readServerFrame(data);
  if (message.type === 'hello') {
    last[subscriber] = message.sequence;
    return;
  }
  if (message.type !== 'irq' && message.type !== 'gap') return;
  const first = message.type === 'gap' ? message.from : message.sequence;
  if (first !== last[subscriber] + 1) totals.wrong++;
  if (message.type === 'gap') totals.skipped += message.to - message.from + 1;
  else totals.received++;
  last[subscriber] = message.type === 'gap' ? message.to : message.sequence;
}

const sockets = await Promise.all(
  Array.from(
    { length: count },
    (_, subscriber) =>
      new Promise<WebSocket>((resolve, reject) => {
        const socket = new WebSocket(url, [PROTO_SUBPROTOCOL], { perMessageDeflate: false });
        socket.on('message', (data: Buffer) => receive(subscriber, data));
        socket.once('message', () => resolve(socket));
        socket.once('error', reject);
      }),
  ),
);

/** Tells the totals when every subscriber has come to event `until`. */
parentPort?.on('message', (until: number | 'end') => {
  if (until === 'end') {
    for (const socket of sockets) socket.terminate();
    process.exit();
  }
  const look = () => {
    if (last.every((sequence) => sequence >= until)) parentPort?.postMessage({ ...totals });
    else setTimeout(look, 5);
  };
  look();
});
parentPort?.postMessage('ready');
