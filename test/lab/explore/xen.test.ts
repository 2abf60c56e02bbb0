import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { explore } from '../../../src/lab/explore/explore.js';
import { xenFlag, xenFlagAssert, xenSourceId } from '../../../src/lab/explore/scenarios/xen-filter.js';

/** What each form of the Xen filter comes to where the BQL no longer keeps others out, and where it does. */
for (const [scenario, withoutBql] of [
  [xenFlagAssert, ['assertion', 'meaning']],
  [xenFlag, ['meaning']],
  [xenSourceId, []],
] as const) {
  t.test(scenario.name, async (t) => {
    const lockless = explore(scenario, PRESETS['lockless-irq'], { mutex: 'blocking' });
    t.ok(lockless.complete);
    t.same([...new Set(lockless.findings.map(({ kind }) => kind))].sort(), withoutBql, 'lockless-irq');
    const safe = explore(scenario, PRESETS['lockless-timer'], { mutex: 'blocking' });
    t.ok(safe.complete);
    t.same(safe.findings, [], 'lockless-timer');
  });
}
