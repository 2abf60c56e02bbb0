import { CONNECTION_KINDS } from '../../flow/connections.js';
import { type Family, kinds, single } from '../family.js';

/** Connections, the queues between them and the machines, and the limits of both. */
export const CONNECTIONS: readonly Family[] = [
  {
    name: 'southbridge_connections',
    type: 'gauge',
    help: 'Open WebSockets of vCPUs and of IRQ streams, and IRQ streams as Server-Sent Events.',
    labels: ['kind'],
    *samples({ service }) {
      for (const kind of CONNECTION_KINDS) yield { labels: { kind }, value: service.connections.count(kind) };
    },
  },
  single(
    {
      name: 'southbridge_dropped_interrupts_total',
      type: 'counter',
      help: 'Interrupts dropped because their vCPU was disconnected or read too slowly. A gap message reports them to the vCPU.',
    },
    ({ service }) => service.machines.droppedInterrupts,
  ),
  {
    name: 'southbridge_limit',
    type: 'gauge',
    help: 'The configured limits, by the name of their key.',
    labels: ['limit'],
    *samples({ service }) {
      for (const [limit, value] of Object.entries(service.configuration.limits)) yield { labels: { limit }, value };
    },
  },
  single(
    {
      name: 'southbridge_requests_under_way',
      type: 'gauge',
      help: 'Requests in flight: sent to a machine and not answered yet.',
    },
    ({ service }) => {
      let sum = 0;
      for (const { unanswered } of service.machines) sum += unanswered;
      return sum;
    },
  ),
  single(
    {
      name: 'southbridge_event_ring_records',
      type: 'gauge',
      help: 'Events in the event ring that the gateway has not dispatched yet. The ring has room for 16384, or for more with many vCPU threads.',
    },
    ({ service }) => service.engine.gateway.waitingEvents,
  ),
  kinds(
    {
      name: 'southbridge_pending_events',
      type: 'gauge',
      help: 'Interrupts and events queued for connections whose peer reads too slowly and for disconnected vCPUs.',
    },
    ({ flow, machines }) => {
      const sums = flow.sums(({ pendingEvents }) => pendingEvents);
      let vcpu = 0;
      for (const machine of machines) for (const { backlog } of machine.vcpus) vcpu += backlog.events;
      return { ...sums, vcpu };
    },
  ),
  kinds(
    {
      name: 'southbridge_buffered_bytes',
      type: 'gauge',
      help: 'Bytes sent to connections that the operating system has not accepted yet.',
    },
    ({ flow }) => flow.sums((connection) => connection.bufferedBytes),
  ),
  single(
    {
      name: 'southbridge_paused_sockets',
      type: 'gauge',
      help: 'vCPU sockets that the server has stopped reading: too many requests are in flight, frames arrive too fast, or the peer reads too slowly.',
    },
    ({ service }) => service.flow.sums(({ paused }) => Number(paused)).vcpu,
  ),
  single(
    {
      name: 'southbridge_socket_pauses_total',
      type: 'counter',
      help: 'Times that the server stopped reading a vCPU socket.',
    },
    ({ service }) => service.flow.pauses,
  ),
  kinds(
    {
      name: 'southbridge_congested_connections',
      type: 'gauge',
      help: 'Connections whose peer reads too slowly: limits.bufferedBytes are full, and later messages wait.',
    },
    ({ flow }) => flow.sums(({ congested }) => Number(congested)),
  ),
  kinds(
    {
      name: 'southbridge_congestions_total',
      type: 'counter',
      help: 'Times that a connection became congested because its peer read too slowly.',
    },
    ({ flow }) => flow.congestions,
  ),
  kinds(
    {
      name: 'southbridge_gaps_total',
      type: 'counter',
      help: 'Gap messages. Each replaces interrupts or events that the server dropped.',
    },
    ({ flow: { drops } }) => ({ vcpu: drops.vcpu.gaps, irqs: drops.irqs.gaps, events: drops.events.gaps }),
  ),
  kinds(
    {
      name: 'southbridge_dropped_events_total',
      type: 'counter',
      help: 'Interrupts and events dropped because the queue of a connection or of a disconnected vCPU was full.',
    },
    ({ flow: { drops } }) => ({ vcpu: drops.vcpu.dropped, irqs: drops.irqs.dropped, events: drops.events.dropped }),
  ),
];
