import t from 'tap';
import { DeferredList } from '../../../src/core/locking/deferred-list.js';
import { PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import { MACHINE_AREAS } from '../../../src/core/memory/map.js';
import { explore } from '../../../src/lab/explore/explore.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { replaced } from '../../../src/lab/explore/seeded-bugs/seeded-bug.js';
import { EventRing } from '../../../src/runtime/events/event-ring.js';
import { type SharedMap, sharedMap } from '../../../src/runtime/memory/shared-map.js';
import { sharedWord } from '../../../src/runtime/memory/shared-words.js';
import { Doorbell } from '../../../src/runtime/rings/doorbell.js';
import { SubmissionRing } from '../../../src/runtime/rings/submission-ring.js';

interface Fault {
  readonly name: string;
  readonly locking: PresetName;
  readonly scenario: string;
  /** Puts the fault into the code; returns what takes it out. */
  readonly seedBug: () => () => void;
  readonly finding: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'a doorbell whose mark is written plainly',
    locking: 'lockless-timer',
    scenario: 'arm-earlier',
    seedBug: () =>
      replaced(
        Doorbell.prototype,
        'wake',
        () =>
          function (this: Doorbell) {
            this.memory.set(this.at + 1, 0);
          },
      ),
    finding: /^race mainLoopBell\+1: main loop writes it, which is sync$/,
  },
  {
    name: 'a ring whose position is read plainly',
    locking: 'lockless-timer',
    scenario: 'callback-acknowledge',
    seedBug: () =>
      replaced(
        SubmissionRing.prototype,
        'take',
        (original) =>
          function (this: SubmissionRing) {
            this.memory.get(this.at + 16);
            return original.call(this);
          },
      ),
    finding: /^race submissionRings\+16: vCPU 0 reads it, which is sync$/,
  },
  {
    name: 'an event whose data is written by atomics as well',
    locking: 'lockless-timer',
    scenario: 'callback-acknowledge',
    seedBug: () =>
      replaced(
        EventRing.prototype,
        'emit',
        (original) =>
          function (this: EventRing, machine, event) {
            this.memory.store(this.address + 17 + (this.tail() & (this.capacity - 1)) * 10, machine);
            return original.call(this, machine, event);
          },
      ),
    finding: /^race eventRing\+\d+: .* operates on it, which is ring data, atomically$/,
  },
  {
    name: 'a word that no module has declared',
    locking: 'lockless-timer',
    scenario: 'callback-acknowledge',
    seedBug: () =>
      replaced(
        EventRing.prototype,
        'emit',
        (original) =>
          function (this: EventRing, machine, event) {
            this.memory.store(3, 1);
            return original.call(this, machine, event);
          },
      ),
    finding: /^race shared\+3: .* operates on it, which is undeclared/,
  },
  {
    name: 'a deferred list whose frame stays open',
    locking: 'deferred-irq',
    scenario: 'callback-acknowledge',
    seedBug: () =>
      replaced(
        DeferredList.prototype,
        'begin',
        (original) =>
          function (this: DeferredList) {
            original.call(this);
            original.call(this);
          },
      ),
    finding: /^assertion .*\d+ deferred changes and \d+ open frames are left/,
  },
];

for (const { name, locking, scenario, seedBug, finding } of FAULTS) {
  t.test(`exploration finds ${name}`, async (t) => {
    const found = (options: object) =>
      explore(scenarioNamed(scenario), PRESETS[locking], { mutex: 'blocking', ...options }).findings.map(
        ({ kind, summary }) => `${kind} ${summary}`,
      );
    t.ok(
      found({ seedBug }).some((text) => finding.test(text)),
      'with the fault',
    );
    t.notOk(
      found({}).some((text) => finding.test(text)),
      'not without it',
    );
  });
}

t.test('every word between the thread table and the machines is declared by the part that has it', async (t) => {
  const options = { machines: 2, vcpuThreads: 2, submissions: 4, events: 32, statisticsSlots: 1, traceRecords: 2 };
  const map: SharedMap = sharedMap(options);
  const parts = new Map<string, number>();
  for (let address = map.statistics; address < map.words; address++) {
    const word = sharedWord(map, address);
    if (!word) t.fail(`word ${address} belongs to no part`);
    else parts.set(word.part, (parts.get(word.part) ?? 0) + 1);
  }
  t.ok(parts.size >= 18, [...parts.keys()].join(', '));
  t.equal(sharedWord(map, map.eventRing)?.protection, 'sync');
  t.equal(sharedWord(map, map.eventRing + 17)?.protection, 'ring');
  t.equal(sharedWord(map, map.submissionRings + 32)?.protection, 'ring');
  t.ok(MACHINE_AREAS.length > 20);
});
