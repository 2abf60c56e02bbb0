import type { Design } from '../../../core/locking/axes.js';
import type { Guard } from '../../../core/memory/layout.js';
import { BQL, DEVICE, IOAPIC, LOCK_NAMES, PIC, ROUTER, TIMERS } from '../../../core/sync/lock-names.js';
import * as H from '../history.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';

/** Every plain access is made under the lock that, in this design, guards the field. */
export function guard({ names, scenario }: Laboratory, design: Design): Oracle {
  return {
    name: 'guard',
    beforeAction(system, thread, node, report) {
      // Lockers are there for the lock alone, whatever it guards in this design.
      if (node.address < 0 || node.kind >= H.LOAD || scenario.lockers) return;
      const field = names.field(node.address);
      if (!field) return;
      const writes = node.kind === H.SET || node.kind === H.SET_TIME;
      const { id, name } = system.threads[thread];
      const verb = writes ? 'writes' : 'reads';
      // A restore writes the same field of every timer: that is one finding.
      const about = { key: `${field.name.replace(/\[\d+\]/g, '[]')} unguarded`, word: field.name };
      if (field.guard === 'sync' || (field.guard === 'constant' && writes)) {
        report({ kind: 'race', summary: `${field.name}: ${name} ${verb} it, which is ${field.guard}`, ...about });
        return;
      }
      const locks = locksOf(field.guard, writes, design);
      if (!locks || locks.some((lock) => names.ownerOf(system.words, lock) === id)) return;
      const missing = locks.map((lock) => LOCK_NAMES[lock]).join(' or ');
      report({ kind: 'race', summary: `${field.name}: ${name} ${verb} it without ${missing}`, ...about });
    },
  };
}

/** The locks of which one must be held; undefined where a field is handed over by other means. */
function locksOf(guarded: Guard, writes: boolean, { mmio, irq }: Design): readonly number[] | undefined {
  const hpet = mmio.underBql ? BQL : DEVICE;
  switch (guarded) {
    case 'hpet':
      return [hpet];
    case 'router':
      return [irq.lockless ? ROUTER : BQL];
    case 'ioapic':
      return [irq.lockless ? IOAPIC : BQL];
    case 'pic':
      return [irq.lockless ? PIC : BQL];
    case 'timers':
      return [TIMERS];
    case 'arming':
      return writes ? [TIMERS] : [TIMERS, hpet, irq.lockless ? IOAPIC : BQL];
    default:
      return undefined;
  }
}
