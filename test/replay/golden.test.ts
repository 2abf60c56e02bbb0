import t from 'tap';
import { InProcessTarget } from '../../src/replay/in-process.js';
import { replayAll } from '../../src/replay/runner.js';
import { GOLDEN, GUEST, PLAIN, SILENT } from './vectors.js';

const LOCKING = ['bql', 'lockless-timer', 'lockless-irq'] as const;

const target = new InProcessTarget();
t.teardown(() => target.close());

t.equal(GOLDEN.length, 120);
t.ok(PLAIN.length > 0 && PLAIN.length < GOLDEN.length);

for (const locking of LOCKING) {
  for (const profile of ['qemu-11.1', 'datasheet', 'standard'] as const) {
    const traces = profile === 'qemu-11.1' ? GOLDEN : PLAIN;
    t.test(`${traces.length} golden traces with ${profile} under ${locking}`, async (t) => {
      const report = await replayAll(traces, target, { locking, profile }, SILENT);
      t.same(
        report.results.filter((result) => !result.passed),
        [],
      );
      t.equal(report.passed, traces.length);
    });
  }

  t.test(`guest traces under ${locking}`, async (t) => {
    const report = await replayAll(GUEST, target, { locking }, SILENT);
    t.same(
      report.results.map(({ name, profile, passed, mismatch }) => ({ name, profile, passed, mismatch })),
      [
        { name: 'linux-6.1-oneshot-up', profile: 'standard', passed: true, mismatch: null },
        { name: 'linux-6.1-periodic-smp2', profile: 'standard', passed: true, mismatch: null },
      ],
    );
  });
}
