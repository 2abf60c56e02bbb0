import t from 'tap';
import { explore } from '../../src/explore/explore.js';
import { callbackComparator } from '../../src/explore/scenarios/callback-comparator.js';
import { PRESETS, type PresetName } from '../../src/locking/presets.js';

t.test('nested-mutex: main loop and vCPU take BQL and mutex in opposite orders', async (t) => {
  const result = explore(callbackComparator, PRESETS['nested-mutex']);
  t.equal(result.complete, true);
  t.match(result.findings, [
    {
      kind: 'deadlock',
      summary: 'main loop, holding bql, waits for device; vCPU 0, holding device, waits for bql',
    },
  ]);
});

for (const preset of ['bql', 'lockless-timer', 'lockless-irq'] satisfies PresetName[]) {
  t.test(`${preset}: no interleaving goes wrong`, async (t) => {
    const result = explore(callbackComparator, PRESETS[preset]);
    t.same(result.findings, []);
    t.equal(result.complete, true);
    t.ok(result.ends > 1, 'different orders end differently');
  });
}

t.test('option 1 without the right order in path C and the timer path of option 2', async (t) => {
  const { mmio, irq } = PRESETS['lockless-timer'];
  const { timer, control } = PRESETS['nested-mutex'];
  const result = explore(callbackComparator, { mmio, timer, irq, control });
  t.match(result.findings, [{ kind: 'deadlock' }], 'exchanging the timer axis alone brings the deadlock back');
});

t.test('a callback that does not take the mutex races with MMIO', async (t) => {
  const { mmio, irq, control } = PRESETS['lockless-timer'];
  const result = explore(callbackComparator, { mmio, timer: PRESETS.bql.timer, irq, control });
  const races = result.findings.filter(({ kind }) => kind === 'race').map(({ summary }) => summary);
  t.ok(
    races.includes('hpet.timer[0].comparator.low: main loop writes and vCPU 0 reads it, unordered'),
    'named to the field',
  );
});
