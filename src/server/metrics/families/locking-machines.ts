import type { Family } from '../family.js';

export const lockingMachines: Family = {
  name: 'southbridge_locking_machines',
  type: 'gauge',
  help: 'Machines that exist, by locking design and its class: safe, stale, unsafe, or unknown.',
  labels: ['locking', 'class'],
  *samples({ service }) {
    const counts = new Map<string, { labels: { locking: string; class: string }; value: number }>();
    for (const { locking } of service.machines) {
      const { preset, mmio, timer, irq, control } = locking;
      const name = preset ?? [mmio, timer, irq, control].join('/');
      const count = counts.get(name) ?? { labels: { locking: name, class: locking.class ?? 'unknown' }, value: 0 };
      counts.set(name, count);
      count.value++;
    }
    yield* counts.values();
  },
};
