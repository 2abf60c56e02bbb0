import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/**
 * The baseline: a `ws` server that sends back every message as it came. `--spend NS` makes it work for so long by each,
 * in processor time, as a server does that has something to do. Prints its address, and ends with its standard input.
 */
const spend = Number(process.argv[2] ?? 0);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    if (spend > 0) work(spend);
    socket.send(data, { binary });
  });
});
server.on('listening', () => {
  process.stdout.write(`ws://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();

function work(ns: number): void {
  const until = process.hrtime.bigint() + BigInt(Math.round(ns));
  while (process.hrtime.bigint() < until);
}
