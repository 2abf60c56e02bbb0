import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { explore } from '../../../src/lab/explore/explore.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';

/** Findings of each form of the Xen filter, without and with the BQL held around it. */
for (const [name, withoutBql] of [
  ['xen-flag-assert', ['assertion', 'linearizability']],
  ['xen-flag', ['linearizability']],
  ['xen-source-id', []],
] as const) {
  t.test(name, async (t) => {
    const scenario = scenarioNamed(name);
    const lockless = explore(scenario, PRESETS['lockless-irq'], { mutex: 'blocking' });
    t.ok(lockless.complete);
    t.same([...new Set(lockless.findings.map(({ kind }) => kind))].sort(), withoutBql, 'lockless-irq');
    const safe = explore(scenario, PRESETS['lockless-timer'], { mutex: 'blocking' });
    t.ok(safe.complete);
    t.same(safe.findings, [], 'lockless-timer');
  });
}
