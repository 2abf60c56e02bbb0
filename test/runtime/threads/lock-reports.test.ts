import t from 'tap';
import { lockAddress } from '../../../src/core/sync/locks.js';
import { Engine } from '../../../src/runtime/engine.js';
import { LockReportRings } from '../../../src/runtime/memory/lock-reports.js';
import { machineAt } from '../../../src/runtime/memory/shared-map.js';
import { LockView } from '../../../src/runtime/statistics/lock-view.js';
import fc from '../../support/properties.js';

const SLOTS = 3;
/** More than the rings keep. */
const MANY = 40;

const step = fc.record({
  /** Reports of this machine, so many, each left to hang or broken; or a new machine. */
  slot: fc.nat(SLOTS - 1),
  kind: fc.constantFrom('hung', 'broken', 'made'),
  times: fc.constantFrom(1, 3, MANY),
});

t.test('a deadlock that a machine hangs in is reported until its slot has a new machine', async (t) => {
  const engine = new Engine({ vcpuThreads: 2, machines: SLOTS });
  const { shared, map } = engine;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const rings = new LockReportRings(shared, map.lockReports);
      const view = new LockView(shared, map);
      for (let slot = 0; slot < SLOTS; slot++) view.begin(slot);
      /** The deadlocks left to hang since a machine was made, by slot. */
      const hung = Array.from({ length: SLOTS }, () => 0);
      for (const { slot, kind, times } of steps) {
        if (kind === 'made') {
          view.begin(slot);
          hung[slot] = 0;
        }
        for (let count = 0; kind !== 'made' && count < times; count++) {
          const lock = machineAt(map, slot) + lockAddress(0);
          const waiter = { thread: 2, lock, site: 0, held: 0, since: 0, forever: false };
          rings.deadlock([waiter], kind === 'broken');
          if (kind !== 'hung') continue;
          hung[slot]++;
          view.hungSlots();
        }
        const reported = hung.map((_, each) => view.deadlocks(each).filter(({ outcome }) => outcome === 'hung').length);
        t.same(reported, hung);
        t.same(
          view.hungSlots().sort(),
          [...hung.keys()].filter((each) => hung[each] > 0),
        );
      }
    }),
    { numRuns: 30 },
  );
});
