import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SouthbridgeError } from '../src/errors.js';
import { codecOf } from '../src/protocol/codecs.js';
import { CLOSED } from '../src/protocol/json/schemas.js';
import { IRQ_KINDS, type IrqKind } from '../src/protocol/names.js';
import { hasSessions, resumeTokenOf } from '../src/protocol/subprotocols.js';
import { Type } from '../src/schema/type.js';
import { addressOf } from '../src/server/security/forwarded.js';
import { originHeaders } from '../src/server/security/origins.js';
import type { MachineHandle } from '../src/server/service/machine-handle.js';
import { refuseSocket } from '../src/server/service/refusal.js';
import type { Service } from '../src/server/service/service.js';
import { sendClusterEvents } from '../src/server/streams/cluster-events.js';
import { sendToOwner } from '../src/server/streams/elsewhere.js';
import { EventSourcePeer, eventSourceEncoder } from '../src/server/streams/event-source.js';
import { IrqFilter } from '../src/server/streams/irq-filter.js';
import { IrqStream, type Position, positionIn } from '../src/server/streams/irq-stream.js';
import { SocketPeer } from '../src/server/streams/socket-peer.js';
import { type App, ErrorReply, MachineParams, type Routes } from './app.js';

/** What does not read the end of its stream is cut off when the server shuts down. */
const GRACE_MS = 2000;

/** A list with commas between its parts. */
function list(part: string, example: string, description: string) {
  return Type.Optional(Type.String({ pattern: `^(${part})(,(${part}))*$`, examples: [example], description }));
}

const Query = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        pattern: '^([A-Za-z0-9_-]{1,64}:)?[0-9]{1,15}$',
        examples: ['41', 'pX3qLw0aZk7d:41'],
        description: 'Number of the last event received, alone or behind the epoch and a colon.',
      }),
    ),
    kind: list(IRQ_KINDS.join('|'), 'line,apic', 'Only events of these kinds.'),
    gsi: list('[12]?[0-9]|3[01]', '4,16', 'Only events of these lines, and messages of these pins.'),
    vector: list('1?[0-9]?[0-9]|2[0-4][0-9]|25[0-5]', '48,49', 'Only messages with these vectors.'),
  },
  CLOSED,
);

interface Wishes {
  readonly after?: string;
  readonly kind?: string;
  readonly gsi?: string;
  readonly vector?: string;
}

function filterOf({ kind, gsi, vector }: Wishes): IrqFilter {
  const numbers = (text: string | undefined) => text && new Set(text.split(',').map(Number));
  return new IrqFilter({
    kinds: kind ? new Set(kind.split(',') as IrqKind[]) : undefined,
    gsis: numbers(gsi) || undefined,
    vectors: numbers(vector) || undefined,
  });
}

/** Where a subscriber goes on. A browser that comes back tells it by the header; its URL is that of the first time. */
function positionOf({ after }: Wishes, { headers }: Pick<FastifyRequest, 'headers'>): Position | undefined {
  const last = headers['last-event-id'];
  if (last === undefined || last === '') return after === undefined ? undefined : positionIn(after);
  const position = positionIn(String(last));
  if (position) return position;
  throw new SouthbridgeError('bad-value', { key: 'Last-Event-ID', expected: 'the id of an event of this stream' });
}

export const irqRoutes: Routes = (app: App, service) => {
  const { machines, connections, configuration } = service;

  app.route({
    method: 'GET',
    url: '/v1/machines/:machine/irqs',
    websocket: true,
    config: { access: 'observe', socket: true },
    schema: { params: MachineParams, querystring: Query },
    preHandler: async (request) => {
      service.requireRoom(addressOf(request));
      resumeTokenOf(request.headers['sec-websocket-protocol']);
    },
    handler: (socket, request) => {
      const { params, query, raw, owner } = request;
      if (owner) return sendToOwner(socket, params, owner);
      socket.on('close', connections.opened('irqs', addressOf(request)));
      let machine: MachineHandle;
      try {
        machine = machines.get(params.machine);
        machine.requireOpen();
      } catch (error) {
        refuseSocket(socket, error);
        return;
      }
      const stream = new IrqStream(
        new SocketPeer(socket, raw.socket),
        codecOf(socket.protocol),
        machine,
        configuration.limits,
        service.flow,
        'irqs',
        query.after === undefined ? undefined : positionIn(query.after),
        filterOf(query),
        hasSessions(socket.protocol),
        service.cluster?.placeOf(params.machine),
      );
      socket.on('message', () => socket.close(1003, 'bad-message'));
      socket.on('close', () => stream.end());
    },
  });

  eventSourceRoute(app, service);
};

/** Begins a response without end. */
function beginStream(
  { connections, configuration }: Service,
  peers: Set<EventSourcePeer>,
  request: FastifyRequest,
  reply: FastifyReply,
): { readonly peer: EventSourcePeer; readonly response: ServerResponse } {
  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    ...originHeaders(request.raw, configuration),
    connection: 'close',
  });
  const closed = connections.opened('events', addressOf(request));
  const { heartbeatMs, limits } = configuration;
  const peer = new EventSourcePeer(response, heartbeatMs, limits.missedHeartbeats);
  peers.add(peer);
  response.on('close', () => {
    closed();
    peers.delete(peer);
  });
  return { peer, response };
}

function eventSourceRoute(app: App, service: Service): void {
  const { machines, configuration } = service;
  const peers = new Set<EventSourcePeer>();

  const begin = (request: FastifyRequest, reply: FastifyReply) => beginStream(service, peers, request, reply);

  app.get(
    '/v1/machines/:machine/irqs/events',
    {
      config: { access: 'observe', anyNode: true },
      schema: {
        tags: ['irqs'],
        summary: 'The IRQ stream as Server-Sent Events',
        params: MachineParams,
        querystring: Query,
        response: { 200: Type.String({ description: 'text/event-stream, without end' }), '4xx': ErrorReply },
      },
    },
    async (request, reply) => {
      const { cluster } = service;
      const after = positionOf(request.query, request);
      const filter = filterOf(request.query);
      if (cluster) {
        const name = request.params.machine;
        await cluster.requireMachine(name);
        service.requireRoom(addressOf(request));
        const { peer, response } = begin(request, reply);
        const ended = new AbortController();
        response.on('close', () => ended.abort());
        const events = cluster.events(name, after, ended.signal);
        const failed = await sendClusterEvents(events, name, after !== undefined, peer, filter, service.flow);
        if (failed) request.log.warn({ err: failed, machine: name }, 'an event stream has ended');
        return;
      }
      const machine = machines.get(request.params.machine);
      machine.requireOpen();
      service.requireRoom(addressOf(request));
      const { peer, response } = begin(request, reply);
      const stream = new IrqStream(
        peer,
        eventSourceEncoder(after !== undefined, () => machine.events.origin.epoch),
        machine,
        configuration.limits,
        service.flow,
        'events',
        after,
        filter,
      );
      response.on('close', () => stream.end());
    },
  );

  app.addHook('preClose', async () => {
    for (const peer of peers) {
      peer.close();
      setTimeout(() => peer.response.destroy(), GRACE_MS).unref();
    }
  });
}
