import { readFileSync } from 'node:fs';
import { stateOf } from '../../service/machine-description.js';
import { type Family, MACHINE, single } from '../family.js';

const { version } = JSON.parse(readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8'));
const STATES = ['running', 'paused', 'hung', 'suspect'] as const;

/** The server and its machines. */
export const SERVER: readonly Family[] = [
  {
    name: 'southbridge_build_info',
    type: 'gauge',
    help: 'Always 1; the labels name the versions of the server and of Node.js, and the processor architecture.',
    labels: ['version', 'node', 'arch'],
    *samples() {
      yield { labels: { version, node: process.version, arch: process.arch }, value: 1 };
    },
  },
  single(
    { name: 'southbridge_machines', type: 'gauge', help: 'Machines that exist.' },
    ({ service }) => service.machines.size,
  ),
  {
    name: 'southbridge_machine_state',
    type: 'gauge',
    help: 'Machines in each state: 1 for the state of a machine with its own metrics, 0 for the others. hung: threads wait for each other indefinitely; suspect: a thread died in it.',
    labels: [...MACHINE, 'state'],
    *samples({ service, figures }) {
      const counts = new Map<number, Map<string, number>>();
      for (const machine of service.machines) {
        const slot = machine.options.statistics?.slot ?? 0;
        const states = counts.get(slot) ?? new Map<string, number>();
        counts.set(slot, states);
        const state = stateOf(machine);
        states.set(state, (states.get(state) ?? 0) + 1);
      }
      for (const { slot, labels } of figures.machines) {
        for (const state of STATES) yield { labels: { ...labels, state }, value: counts.get(slot)?.get(state) ?? 0 };
      }
    },
  },
  {
    name: 'southbridge_locking_machines',
    type: 'gauge',
    help: 'Machines that exist, by locking design and its class: safe, stale, unsafe, or unknown.',
    labels: ['locking', 'class'],
    *samples({ service }) {
      const counts = new Map<string, { labels: { locking: string; class: string }; value: number }>();
      for (const { locking } of service.machines) {
        const { name, class: verdict = 'unknown' } = locking;
        const count = counts.get(name) ?? { labels: { locking: name, class: verdict }, value: 0 };
        counts.set(name, count);
        count.value++;
      }
      yield* counts.values();
    },
  },
];
