import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import { selectSubprotocol } from '../../protocol/subprotocols.js';
import { within } from '../../runtime/promises.js';
import type { Admission } from '../security/admission.js';
import type { AddressSockets } from '../security/sockets.js';
import type { Service } from '../service/service.js';
import { Heartbeat } from './heartbeat.js';

/** Close codes of RFC 6455: the server goes away; what policy forbids. */
const GOING_AWAY = 1001;
/** And: it met what it cannot go on from. */
const INTERNAL_ERROR = 1011;
const POLICY_VIOLATION = 1008;
/** For the answers to close frames and for requests in flight; afterwards connections are cut. */
const GRACE_MS = 2000;
/** Frames up to this many times the limit are refused with a coded error, larger ones with close code 1009. */
const FRAME_HEADROOM = 4;

/** Makes the server take WebSockets, and watches over those that are open. */
export async function registerSockets(
  app: FastifyInstance,
  service: Service,
  admission: Admission,
  sockets: AddressSockets,
): Promise<void> {
  const { limits, heartbeatMs } = service.configuration;
  await app.register(websocket, {
    options: {
      maxPayload: FRAME_HEADROOM * limits.frameBytes,
      handleProtocols: selectSubprotocol,
      // Done below.
      autoPong: false,
    },
    preClose() {
      return closeSockets(this.websocketServer.clients, service.failure !== undefined);
    },
    errorHandler: (error, socket) => {
      app.log.debug({ err: error }, 'a connection failed');
      socket.terminate();
    },
  });
  const heartbeat = new Heartbeat(heartbeatMs, limits.missedHeartbeats);
  app.addHook('onClose', async () => heartbeat.stop());
  app.websocketServer.on('connection', (socket, { socket: connection }: IncomingMessage) => {
    heartbeat.watch(socket, connection);
    sockets.admitted(connection);
    admission.endBy(connection, (why) => socket.close(POLICY_VIOLATION, why));
    // Who sends pings and reads no answers must not fill the memory with them.
    socket.on('ping', (data) => {
      if (socket.readyState === socket.OPEN && socket.bufferedAmount < limits.bufferedBytes) socket.pong(data);
    });
  });
}

/** Tells clients that the server goes away; those that do not answer are cut off. */
async function closeSockets(clients: Set<WebSocket>, failed: boolean): Promise<void> {
  const closed = [...clients].map(
    (client) =>
      new Promise<void>((resolve) => {
        client.once('close', () => resolve());
        // A paused socket would not see the answer to its close frame.
        client.resume();
        if (failed) client.close(INTERNAL_ERROR, 'server-failed');
        else client.close(GOING_AWAY, 'shutting-down');
      }),
  );
  await within(GRACE_MS, Promise.all(closed), undefined);
  for (const client of clients) client.terminate();
}
