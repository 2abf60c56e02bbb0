import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/**
 * The baseline: a `ws` server that sends back every message as it came. Like Southbridge, it gives the operating system
 * in one write what it sends in one turn of the event loop. With a number of ns as argument it works for so long on each
 * message, in processor time. Prints its address, and ends with its standard input.
 */
const spend = Number(process.argv[2] ?? 0);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket, { socket: stream }) => {
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    stream.uncork();
  };
  socket.on('message', (data, binary) => {
    if (spend > 0) work(spend);
    if (!isCorked) {
      isCorked = true;
      stream.cork();
      process.nextTick(uncork);
    }
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
