import t from 'tap';
import type { Design } from '../../../src/core/locking/axes.js';
import { CONTROL_AXIS, IRQ_AXIS, MMIO_AXIS, PRESETS, TIMER_AXIS } from '../../../src/core/locking/presets.js';
import { pathLocks } from '../../support/path-locks.js';

const AXES = { mmio: MMIO_AXIS, timer: TIMER_AXIS, irq: IRQ_AXIS, control: CONTROL_AXIS };

// `paths.test.ts` holds each preset to its table. Here: whatever axis value is exchanged for whatever other, the
// paths of some preset that uses it come out otherwise, so that a line of that table would fail.
for (const [axis, values] of Object.entries(AXES)) {
  for (const value of values) {
    for (const other of values) {
      if (value === other) continue;
      t.test(`${axis}: ${value.name} is not ${other.name}`, async (t) => {
        const emitted = Object.entries<Design>(PRESETS)
          .filter(([, preset]) => preset[axis as keyof Design] === value)
          .filter(([, preset]) => differs(preset, { ...preset, [axis]: other }))
          .map(([name]) => name);
        t.not(emitted.length, 0, `a preset that shows it: ${emitted.join(', ')}`);
      });
    }
  }
}

function differs(preset: Design, exchanged: Design): boolean {
  return JSON.stringify(pathLocks(preset)) !== JSON.stringify(pathLocks(exchanged));
}
