import { Ioapic } from '../../../core/devices/ioapic/ioapic.js';
import { Chipset } from '../../../core/machine/chipset.js';
import type { Memory } from '../../../core/memory/memory.js';
import { replaced, type SeededBug } from './seeded-bug.js';

/** EOI, restore and the Xen filter: interrupts that are lost or sent twice. */
export const INTERRUPT_CONTROLLER_BUGS: readonly SeededBug[] = [
  {
    name: 'eoi-ignores-line-level',
    description: 'an EOI does not check whether the line is still high',
    locking: 'lockless-timer',
    scenario: 'line-eoi',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          Ioapic.prototype,
          'endOfInterrupt',
          (original) =>
            function (this: Ioapic, vector) {
              original.call(new Ioapic(allLinesLow(this.memory), this.ports), vector);
            },
        ),
    },
  },
  {
    name: 'restore-replays-edges',
    description: 'a snapshot or restore drives every high line again, as if it had just risen',
    locking: 'lockless-irq',
    scenario: 'restore-callback',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          Chipset.prototype,
          'withInterruptControllers',
          (original) =>
            function (this: Chipset, copy) {
              original.call(this, () => {
                copy();
                const { router } = this;
                for (let gsi = 0; gsi < 24; gsi++) if (router.level(gsi)) router.ports.lineChanged(gsi, 1, this.cause);
              });
            },
        ),
    },
  },
  {
    name: 'xen-filter-global-flag',
    description: 'the Xen filter recognizes its own changes by a global flag, which needs the BQL',
    locking: 'lockless-irq',
    scenario: 'xen-source-id',
    kind: 'linearizability',
    options: { machine: { xen: { form: 'flag', gsi: 5 } } },
  },
];

/** After an EOI has cleared remote IRR, it reads which lines are high. This double answers that all are low. */
function allLinesLow(memory: Memory): Memory {
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
