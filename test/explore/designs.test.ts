import t from 'tap';
import { designNamed } from '../../src/explore/campaign.js';
import { explore } from '../../src/explore/explore.js';
import { callbackAcknowledge } from '../../src/explore/scenarios/callback-acknowledge.js';
import { callbackComparator } from '../../src/explore/scenarios/callback-comparator.js';
import { deadlockBreak } from '../../src/explore/scenarios/deadlock-break.js';
import { legacyInput } from '../../src/explore/scenarios/legacy-input.js';
import { twoVcpus } from '../../src/explore/scenarios/two-vcpus.js';
import type { Design } from '../../src/locking/axes.js';
import { PRESETS } from '../../src/locking/presets.js';

function axes(name: string): Design {
  const named = designNamed(name);
  if (!named) throw new Error(`no design ${name}`);
  return named.design;
}

t.test('nested-mutex: main loop and vCPU take BQL and mutex in opposite orders', async (t) => {
  const { findings, complete } = explore(callbackComparator, PRESETS['nested-mutex']);
  t.equal(complete, true);
  t.match(findings, [
    { kind: 'deadlock', summary: 'main loop, holding bql, waits for device; vCPU 0, holding device, waits for bql' },
  ]);
});

for (const preset of ['bql', 'lockless-timer', 'lockless-irq'] as const) {
  t.test(`${preset}: no interleaving goes wrong, with every operation of the mutex`, async (t) => {
    const { findings, complete, ends } = explore(callbackComparator, PRESETS[preset]);
    t.same(findings, []);
    t.equal(complete, true);
    t.ok(ends > 1, 'both orders of the conflict occurred');
  });
  t.test(`${preset}: nor of three threads, with the mutex as what it was shown to be`, async (t) => {
    const { findings, complete, ends } = explore(twoVcpus, PRESETS[preset], { mutex: 'blocking' });
    t.same(findings, []);
    t.equal(complete, true);
    t.ok(ends > 1);
  });
}

t.test('lockless-timer with the timer axis of nested-mutex deadlocks', async (t) => {
  const { findings } = explore(callbackAcknowledge, axes('device/bql+device/inline/ordered'));
  t.match(findings, [{ kind: 'deadlock' }]);
});

t.test('lockless-timer with control: naive deadlocks: option 1 repairs the timer path only', async (t) => {
  t.match(explore(legacyInput, axes('device/device/inline/naive')).findings, [{ kind: 'deadlock' }]);
  t.same(explore(legacyInput, axes('device/device/inline/ordered')).findings, []);
});

t.test('nested-mutex with deadlocks broken: everyone gets through, and nothing is lost', async (t) => {
  const { findings, complete, ends } = explore(deadlockBreak, PRESETS['nested-mutex']);
  t.same(findings, []);
  t.equal(complete, true);
  t.ok(ends > 1);
});

t.test('legacy-race: the callback races with the MMIO path, and the harm is seen', async (t) => {
  const { findings } = explore(callbackComparator, PRESETS['legacy-race'], { mutex: 'blocking' });
  const races = findings.filter(({ kind }) => kind === 'race').map(({ key }) => key);
  for (const field of ['comparator.low', 'comparator.high', 'target.low', 'flags', 'configuration']) {
    t.ok(races.includes(`hpet.timer[0].${field}`), `named to the field: ${field}`);
  }
  t.ok(races.includes('hpet.status'));
  t.ok(
    findings.some(({ kind, summary }) => kind === 'meaning' && summary.includes('timers.timer[0].deadline')),
    'a timer is armed for another deadline than its registers say',
  );
});

t.test('control: none races with lockless MMIO', async (t) => {
  const { findings } = explore(legacyInput, axes('device/device/inline/none'));
  t.match(findings, [{ kind: 'race', key: 'hpet.configuration' }]);
});

t.test('deferred-irq: an older line change overtakes a newer one, and the line stays wrong', async (t) => {
  const { findings } = explore(callbackAcknowledge, PRESETS['deferred-irq']);
  t.ok(findings.some(({ kind, summary }) => kind === 'stale' && summary.includes('inverted')));
  t.ok(findings.some(({ kind }) => kind === 'meaning'));
  t.notOk(findings.some(({ kind }) => kind === 'race' || kind === 'deadlock'));
  t.same(
    explore(callbackAcknowledge, PRESETS['deferred-revalidated']).findings,
    [],
    'and not if levels are read again',
  );
});
