import { Ioapic } from '../../../core/devices/ioapic/ioapic.js';
import type { Memory } from '../../../core/memory/memory.js';
import { type Plant, replaced } from './plant.js';

export const eoiWithoutTest: Plant = {
  name: 'eoi-without-test',
  mistake: 'an EOI does not look whether the line is still high',
  locking: 'lockless-timer',
  scenario: 'line-eoi',
  kind: 'meaning',
  options: {
    plant: () =>
      replaced(
        Ioapic.prototype,
        'endOfInterrupt',
        (right) =>
          function (this: Ioapic, vector) {
            right.call(new Ioapic(requestsForgotten(this.memory), this.ports), vector);
          },
      ),
  },
};

/** What an EOI reads after it has cleared remote IRR is which lines are high: here none. */
function requestsForgotten(memory: Memory): Memory {
  let cleared = false;
  const double: Pick<Memory, 'get' | 'set'> = {
    get(address) {
      const value = memory.get(address);
      return cleared ? 0 : value;
    },
    set(address, value) {
      memory.set(address, value);
      cleared = true;
    },
  };
  return double as Memory;
}
