import { CONNECTION_KINDS } from '../../streams/connections.js';
import type { Family } from '../family.js';

export const connections: Family = {
  name: 'southbridge_connections',
  type: 'gauge',
  help: 'Open WebSockets, of vCPUs and of IRQ streams, and IRQ streams as Server-Sent Events.',
  labels: ['kind'],
  *samples({ service }) {
    for (const kind of CONNECTION_KINDS) yield { labels: { kind }, value: service.connections.count(kind) };
  },
};
