import { stateOf } from '../../service/machine-description.js';
import { type Family, MACHINE } from '../family.js';

const STATES = ['running', 'paused', 'hung', 'suspect'] as const;

export const machineState: Family = {
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
};
