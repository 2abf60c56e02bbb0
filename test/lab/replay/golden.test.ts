import t from 'tap';
import { PROFILES, QUIRKS, type Quirk } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { tier } from '../../support/tier.js';
import { GOLDEN, GUEST, goldenOf, MET_QUIRKS, SILENT } from './vectors.js';

/** One access at a time, these designs must not differ. */
const LOCKING = PRESET_NAMES.filter((name) => ['safe', 'stale'].includes(classOfPreset(name) ?? ''));

const target = new InProcessTarget();
t.teardown(() => target.close());

t.equal(GOLDEN.length, 120);
t.equal(LOCKING.length, 9);
t.equal(goldenOf('qemu-11.1').length, 120);
t.equal(goldenOf('datasheet').length, 19);
t.equal(goldenOf('standard').length, 21);

/** In shorter runs the other designs replay only what QEMU itself did. */
const FULLY: readonly string[] = {
  few: ['lockless-irq'],
  all: LOCKING,
}[tier.replayDesigns];

for (const locking of LOCKING) {
  for (const profile of ['qemu-11.1', 'datasheet', 'standard'] as const) {
    if (profile !== 'qemu-11.1' && !FULLY.includes(locking)) continue;
    // The latter carries levels that rose and fell within one access, which few traces have.
    const whole = FULLY.includes(locking) || locking === 'deferred-revalidated';
    const all = goldenOf(profile);
    const traces = whole ? all : all.filter((_, number) => number % tier.traceStride === 0);
    t.test(`${traces.length} golden traces with ${profile} under ${locking}`, async (t) => {
      const report = await replayAll(traces, target, { locking, profile }, SILENT);
      t.same(
        report.results.filter((result) => !result.passed),
        [],
      );
      t.equal(report.passed, traces.length);
      t.same(
        report.results.filter(({ coalesced }) => coalesced > 0),
        [],
        'nothing is left out, not even a level that rose and fell within one access',
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

/** Each quirk in turn, off where QEMU has it and on where it has not; in shorter runs a few of them. */
const TOGGLED = (Object.keys(QUIRKS) as Quirk[]).filter(
  (_, number) => tier.replayDesigns === 'all' || number % 8 === 5,
);

for (const quirk of TOGGLED) {
  t.test(`the golden traces that ${quirk} changes are those of met-quirks.json`, async (t) => {
    const quirks = { [quirk]: !(PROFILES['qemu-11.1'] as readonly Quirk[]).includes(quirk) };
    const report = await replayAll(GOLDEN, target, { locking: 'lockless-irq', quirks }, SILENT);
    t.same(
      report.results.filter(({ passed }) => !passed).map(({ name }) => name),
      Object.keys(MET_QUIRKS).filter((name) => MET_QUIRKS[name].includes(quirk)),
    );
  });
}

for (const profile of ['standard', 'datasheet'] as const) {
  t.test(`guest traces with ${profile}`, async (t) => {
    const report = await replayAll(GUEST, target, { locking: 'lockless-timer', profile }, SILENT);
    t.equal(report.passed, GUEST.length);
  });
}
