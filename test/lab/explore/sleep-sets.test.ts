import t from 'tap';
import { PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import { explore } from '../../../src/lab/explore/explore.js';
import { Footprint } from '../../../src/lab/explore/footprint.js';
import { SET_TIME } from '../../../src/lab/explore/history.js';
import type { Scenario } from '../../../src/lab/explore/scenario.js';
import { SCENARIOS, scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { replaced } from '../../../src/lab/explore/seeded-bugs/seeded-bug.js';
import { SleepSets } from '../../../src/lab/explore/sleep-sets.js';
import { tier } from '../../support/tier.js';
import { exploreThreads, type Result, randomProgram, restsInto, resultOf } from './random-programs.js';

t.setTimeout(3_600_000);

const MOST_STATES = 500_000;
/** The scenarios of the short tiers. The long tier compares all that are complete. */
const SMALL = ['callback-acknowledge', 'comparator-read', 'shared-line', 'extint-pic', 'legacy-input', 'xen-flag'];
const PRESETS_COMPARED: readonly PresetName[] = tier.exploresEverySeededBug
  ? ['legacy-race', 'nested-mutex', 'deferred-irq', 'try-queue']
  : ['legacy-race'];

function explored(scenario: Scenario, preset: PresetName, reduction: boolean): Result & { complete: boolean } {
  const rests = new Set<string>();
  const maxStates = MOST_STATES;
  const watch = () => restsInto(rests);
  const found = explore(scenario, PRESETS[preset], { mutex: 'blocking', reduction, watch, maxStates });
  return { ...resultOf(found, rests), complete: found.complete };
}

/** Without what the reduction saves. */
function comparable({ states, ends, findings, rests }: Result) {
  return { states, ends, findings, rests };
}

const compared = SCENARIOS.filter(
  ({ name, preemptions }) => preemptions === undefined && (tier.exploresEverySeededBug || SMALL.includes(name)),
);

for (const preset of PRESETS_COMPARED) {
  t.test(`${preset}: sleep sets change neither findings nor ends nor the number of states`, async (t) => {
    let complete = 0;
    let saved = 0;
    for (const scenario of compared) {
      const full = explored(scenario, preset, false);
      if (!full.complete) continue;
      const reduced = explored(scenario, preset, true);
      t.same(comparable(reduced), comparable(full), scenario.name);
      saved += full.transitions - reduced.transitions;
      complete++;
    }
    t.ok(complete > 4, `${complete} scenarios are complete both ways`);
    t.ok(saved > 0, `${saved} transitions are saved`);
  });
}

/** The seeds of the programs on which the two searches differ. */
function differing(programs: number): number[] {
  const seeds = Array.from({ length: programs }, (_, seed) => seed);
  return seeds.filter((seed) => {
    const [full, reduced] = [false, true].map((reduction) => exploreThreads(randomProgram(seed), { reduction }));
    return JSON.stringify(comparable(full)) !== JSON.stringify(comparable(reduced));
  });
}

t.test('random programs of three threads: nor there', async (t) => {
  t.same(differing(tier.randomPrograms), []);
});

const SEEDS_OF_FAULTS = 40;

/** Faults of the reduction itself, each of which the comparison above must see. */
const FAULTS: { readonly [fault: string]: () => () => void } = {
  'plain words are no dependence': () =>
    replaced(
      Footprint.prototype,
      'note',
      (right) =>
        function (this: Footprint, node) {
          if (node.kind > SET_TIME) right.call(this, node);
        },
    ),
  'the clock is no dependence': () =>
    replaced(
      Footprint.prototype,
      'dependsOn',
      (right) =>
        function (this: Footprint, other) {
          const words = (set: ReadonlySet<number>) => new Set([...set].filter((address) => address >= 0));
          const [one, two] = [this, other].map(({ reads, writes }) =>
            Object.assign(new Footprint(), { reads: words(reads), writes: words(writes) }),
          );
          return right.call(one, two);
        },
    ),
  'a transition goes on sleeping after one that it depends on': () =>
    replaced(Footprint.prototype, 'dependsOn', () => () => false),
};

for (const [fault, put] of Object.entries(FAULTS)) {
  t.test(`a reduction in which ${fault} is found out`, async (t) => {
    const putBack = put();
    t.teardown(putBack);
    t.not(differing(SEEDS_OF_FAULTS).length, 0);
  });
}

/** No comparison shows this one: breadth-first search reached every state without it. The proof of soundness needs it. */
t.test('a state that is reached with a smaller sleep set is expanded again with the intersection', async (t) => {
  const sets = new SleepSets();
  sets.begin(7, 0b0110);
  t.notOk(sets.again(7, 0b0011), 'it waits to be expanded for the first time');
  t.equal(sets.of(7), 0b0010);
  sets.expanding(7);
  t.notOk(sets.again(7, 0b1010), 'a larger set changes nothing');
  t.ok(sets.again(7, 0b0001));
  t.equal(sets.of(7), 0);
  t.notOk(sets.again(7, 0), 'it waits already');
});

t.test('a bound on preemptions turns the reduction off', async (t) => {
  const scenario = scenarioNamed('callback-acknowledge');
  const [one, two] = [true, false].map((reduction) =>
    explore(scenario, PRESETS.bql, { mutex: 'blocking', preemptions: 1, reduction }),
  );
  t.equal(one.transitions, two.transitions);
});
