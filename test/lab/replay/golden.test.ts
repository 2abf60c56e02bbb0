import t from 'tap';
import { PRESET_NAMES, PRESETS } from '../../../src/core/locking/presets.js';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { tier } from '../../support/tier.js';
import { GOLDEN, GUEST, PLAIN, SILENT } from './vectors.js';

/** One access at a time, these designs must not differ. */
const LOCKING = PRESET_NAMES.filter((name) => ['safe', 'stale'].includes(PRESETS[name].class));
/** Traces in which timers share a line, and one drops what another raised within the same access. */
const COALESCED = ['random_0030', 'random_0036', 'random_0042', 'random_0048', 'random_0053', 'random_0060'];

const target = new InProcessTarget();
t.teardown(() => target.close());

t.equal(GOLDEN.length, 120);
t.equal(LOCKING.length, 7);
t.ok(PLAIN.length > 0 && PLAIN.length < GOLDEN.length);

/** In shorter runs the other designs replay only what QEMU itself did. */
const FULLY: readonly string[] = {
  few: ['lockless-irq'],
  some: ['bql', 'lockless-timer', 'lockless-irq'],
  all: LOCKING,
}[tier.replayDesigns];

for (const locking of LOCKING) {
  for (const profile of ['qemu-11.1', 'datasheet', 'standard'] as const) {
    if (profile !== 'qemu-11.1' && !FULLY.includes(locking)) continue;
    // The latter's list of coalesced traces is of all of them.
    const whole = FULLY.includes(locking) || locking === 'deferred-revalidated';
    const all = profile === 'qemu-11.1' ? GOLDEN : PLAIN;
    const traces = whole ? all : all.filter((_, number) => number % tier.traceStride === 0);
    t.test(`${traces.length} golden traces with ${profile} under ${locking}`, async (t) => {
      const report = await replayAll(traces, target, { locking, profile }, SILENT);
      t.same(
        report.results.filter((result) => !result.passed),
        [],
      );
      t.equal(report.passed, traces.length);
      const coalesces = locking === 'deferred-revalidated' && profile === 'qemu-11.1';
      t.same(
        report.results.filter(({ coalesced }) => coalesced > 0).map(({ name }) => name),
        coalesces ? COALESCED : [],
        'nothing is left out, except where several timers share a line and one drops it for all',
      );
    });
  }

  if (!FULLY.includes(locking)) continue;
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
