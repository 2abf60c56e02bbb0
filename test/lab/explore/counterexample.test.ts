import t from 'tap';
import { designNamed, type NamedDesign } from '../../../src/core/locking/presets.js';
import { runOne } from '../../../src/lab/explore/campaign.js';
import {
  type CounterexampleDocument,
  describeFinding,
} from '../../../src/lab/explore/counterexample/counterexample.js';
import { QEMU_FUNCTIONS } from '../../../src/lab/explore/counterexample/qemu-names.js';
import type { Counterexample, FindingKind } from '../../../src/lab/explore/finding.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { textOf } from '../../support/command-lines.js';

/** Designs and scenarios with a finding of every kind. */
const CASES: readonly (readonly [design: string, scenario: string, ...kinds: FindingKind[]])[] = [
  ['nested-mutex', 'callback-acknowledge', 'deadlock', 'lock-order'],
  ['legacy-race', 'comparator-read', 'race', 'linearizability'],
  ['deferred-irq', 'callback-acknowledge', 'stale', 'linearizability'],
  ['lockless-timer', 'callback-acknowledge', 'atomicity'],
  ['lockless-timer', 'seqlock-legacy', 'livelock', 'lock-order'],
  ['lockless-irq', 'xen-flag-assert', 'assertion', 'linearizability'],
  ['device/device/inline/naive', 'legacy-input', 'deadlock'],
];

function documents(design: string, scenario: string): CounterexampleDocument[] {
  const result = runOne(designNamed(design) as NamedDesign, scenarioNamed(scenario), { mutex: 'blocking' });
  // One of each kind, and of the two forms of a race.
  const form = ({ kind, address }: Counterexample) => `${kind} ${address !== undefined}`;
  const first = result.findings.filter(
    (finding, index, all) => all.findIndex((other) => form(other) === form(finding)) === index,
  );
  return first.map((finding) => describeFinding(result, finding));
}

const all = CASES.map(([design, scenario, ...kinds]) => ({
  design,
  scenario,
  kinds,
  found: documents(design, scenario),
}));

function one(design: string, kind: FindingKind): CounterexampleDocument {
  const found = all.filter((each) => each.design === design).flatMap((each) => each.found);
  return found.find((each) => each.kind === kind) as CounterexampleDocument;
}

for (const { design, scenario, kinds, found } of all) {
  t.test(`counterexamples of ${design} × ${scenario}`, async (t) => {
    t.match(
      kinds.map((kind) => found.some((each) => each.kind === kind)),
      kinds.map(() => true),
    );
    for (const each of found) {
      const { steps, threads, summary, kind } = each;
      t.same(JSON.parse(JSON.stringify(each)), each, `${kind}: plain JSON`);
      const numbers = steps.flatMap(({ number }) => number ?? []);
      t.same(
        numbers,
        numbers.map((_, index) => index + 1),
        'numbered steps',
      );
      const violating = steps.filter((step) => step.violates);
      t.ok(violating.length > 0 && violating.every((step) => step.number), `${kind}: the violating step is drawn`);
      t.ok(
        violating.every((step) => step.violates === summary),
        'and marked with the rule',
      );
      t.match(each.consequence, /^[A-Zhtv].*\.$/, 'a sentence on what the guest sees');
      t.ok(
        steps.every(({ held }) => held.length === threads.length),
        'the locks of every thread',
      );
    }
  });
}

t.test('the locks that each thread holds follow from the steps', async (t) => {
  for (const { threads, steps, kind, design } of all.flatMap(({ found }) => found)) {
    const held = threads.map(() => new Set<string>());
    for (const { thread, lock, held: shown, violates, text } of steps) {
      if (lock?.action === 'takes' && !/^is about to/.test(text)) held[thread].add(lock.name);
      if (lock?.action === 'releases') held[thread].delete(lock.name);
      const wanted = held.map((locks) => [...locks].sort());
      t.same(
        shown.map((locks) => [...locks].sort()),
        wanted,
        `${design} ${kind}: ${text}${violates ? ' (violates)' : ''}`,
      );
    }
  }
});

t.test('each change of memory starts at the value that the last one left', async (t) => {
  for (const { steps, design } of all.flatMap(({ found }) => found)) {
    const values = new Map<string, number>();
    for (const { word, from, to } of steps.flatMap(({ memory }) => memory)) {
      if (values.has(word)) t.equal(values.get(word), from, `${design}: ${word}`);
      values.set(word, to);
    }
  }
});

t.test('a deadlock names the functions of QEMU on both paths', async (t) => {
  const { steps, threads, consequence } = one('nested-mutex', 'deadlock');
  const stuck = steps.filter(({ violates }) => violates);
  t.match(
    stuck.map(({ thread, text, qemu, lock }) => [threads[thread].name, text, qemu.at(-1), lock?.qemu]),
    [
      ['main loop', 'waits for device', 'hpet_timer', 's->lock'],
      ['vCPU 0', 'waits for bql', 'update_irq', 'BQL'],
    ],
  );
  t.same(stuck[0].qemu.slice(0, 3), ['main_loop_wait', 'qemu_clock_run_all_timers', 'timerlist_run_timers']);
  t.equal(stuck[1].qemu[0], 'hpet_ram_write');
  t.match(consequence, /vCPU 0 never returns from its access/);
});

t.test('an inverted lock order shows the acquisition that inverts it', async (t) => {
  const { steps } = one('nested-mutex', 'lock-order');
  const [violating] = steps.filter(({ violates }) => violates);
  t.match(violating, {
    text: 'is about to take device',
    lock: { name: 'device', action: 'takes' },
    held: [['bql'], []],
  });
});

t.test('a stale line change ends in the level that the guest sees', async (t) => {
  const stale = one('deferred-irq', 'stale');
  t.match(stale.steps.find(({ violates }) => violates)?.text, /^applies a line change that is older/);
  const wrong = one('deferred-irq', 'linearizability');
  t.equal(wrong.consequence, 'GSI 4 stays low although a timer asks for an interrupt: the guest never takes it.');
  t.ok(wrong.steps.some(({ guest }) => guest === 'GSI 4 falls'));
  t.ok(wrong.steps.some(({ guest }) => guest === 'guest writes 1 to HPET interrupt status'));
});

t.test('a race shows both accesses; ordinary waiting violates nothing', async (t) => {
  const races = all.flatMap(({ found }) => found).filter(({ summary }) => /unordered$/.test(summary));
  t.ok(races.length > 0);
  for (const { steps } of races) t.equal(new Set(steps.filter((s) => s.violates).map((s) => s.thread)).size, 2);
  const atomicity = one('lockless-timer', 'atomicity');
  t.ok(atomicity.steps.some(({ text, violates }) => text === 'waits for device' && !violates));
});

t.test('each function with a name in QEMU exists', async (t) => {
  for (const [file, functions] of Object.entries(QEMU_FUNCTIONS)) {
    const source = textOf(file);
    for (const name of Object.keys(functions)) {
      const escaped = name.replace('#', '\\#');
      const defined = new RegExp(`^(export function |  (protected |readonly )?)${escaped}(\\(| = \\()`, 'm');
      t.match(source, defined, `${file} ${name}`);
    }
  }
});
