import t from 'tap';
import { PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import { TimerList } from '../../../src/core/machine/timer-list.js';
import { Coverage } from '../../../src/lab/explore/coverage.js';
import { boundOf, explore } from '../../../src/lab/explore/explore.js';
import type { Scenario } from '../../../src/lab/explore/scenario.js';
import { SCENARIOS, scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { replaced } from '../../../src/lab/explore/seeded-bugs/seeded-bug.js';
import { tier } from '../../support/tier.js';

t.setTimeout(600_000);

/** SharedState that threads share whatever they do: bells, positions, and the numbers under which threads wait. */
const INCIDENTAL = /^(mainLoopBell|vcpuBells|gatewayBell|eventRing|roundsWanted|roundsDone|submissionRings|threads)\b/;

/**
 * Scenarios without lock contention: the reader takes no lock, the threads share only rings, or the main loop does both
 * pieces of work itself.
 */
const WITHOUT_LOCK = ['counter-toggle', 'reply-order', 'ring-burst', 'ring-full', 'ring-held', 'save-callback'];

/** Scenarios whose conflict is at a ring itself. */
const ABOUT_RINGS = ['ring-burst', 'ring-full', 'ring-held'];

/** Scenarios in which a dequeued callback notices that it was cancelled. */
const CANCELLED: readonly (readonly [string, PresetName])[] = [
  ['callback-comparator', 'lockless-timer'],
  ['callback-disable', 'lockless-timer'],
  ['fsb-switch', 'lockless-timer'],
  ['two-vcpus', 'lockless-timer'],
  ['wrap-rearm', 'lockless-timer'],
];

/** The main loop does not cancel what it is about to run itself: only a callback that it left for a vCPU thread. */
const CANCELLED_LATE: readonly (readonly [string, PresetName])[] = [
  ['remove-callback', 'kick-and-drain'],
  ['reset-callback', 'kick-and-drain'],
];

function coverageOf(scenario: Scenario, preset: PresetName) {
  let coverage: Coverage | undefined;
  const watch = (names: Coverage['names']) => {
    coverage = new Coverage(names);
    return coverage;
  };
  const { complete } = explore(scenario, PRESETS[preset], { mutex: 'blocking', watch });
  if (!coverage) throw new Error('no oracle was added');
  const orders = [...coverage.bothOrders].filter(
    (word) => ABOUT_RINGS.includes(scenario.name) || !INCIDENTAL.test(word),
  );
  return { complete, contended: [...coverage.contended], orders };
}

for (const scenario of SCENARIOS.filter((_, number) => number % tier.exploreStride === 0)) {
  t.test(`${scenario.name}: its threads conflict`, async (t) => {
    const { complete, contended, orders } = coverageOf(scenario, 'lockless-timer');
    t.equal(
      complete,
      boundOf(scenario, PRESETS['lockless-timer'], {}) === undefined,
      'complete, unless the scenario names a bound',
    );
    t.not(orders.length, 0, `both orders, at ${orders}`);
    if (!WITHOUT_LOCK.includes(scenario.name)) t.not(contended.length, 0, `waits for ${contended}`);
  });
}

for (const [name, preset] of tier.exploresAllDesigns ? [...CANCELLED, ...CANCELLED_LATE] : CANCELLED) {
  t.test(`${name}: a dequeued callback is cancelled under ${preset}`, async (t) => {
    const scenario = scenarioNamed(name);
    let cancelled = 0;
    const putBack = replaced(
      TimerList.prototype,
      'isCurrent',
      (right) =>
        function (this: TimerList, timer, generation) {
          const current = right.call(this, timer, generation);
          if (!current) cancelled++;
          return current;
        },
    );
    t.teardown(putBack);
    const { findings } = explore(scenario, PRESETS[preset], { mutex: 'blocking' });
    t.same(
      findings.filter(({ kind }) => kind !== 'atomicity'),
      [],
    );
    t.ok(cancelled > 0);
  });
}
