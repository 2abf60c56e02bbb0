import type { Family } from '../family.js';

export const limits: Family = {
  name: 'southbridge_limit',
  type: 'gauge',
  help: 'The limits that are configured, by the name of their key.',
  labels: ['limit'],
  *samples({ service }) {
    for (const [limit, value] of Object.entries(service.configuration.limits)) yield { labels: { limit }, value };
  },
};
