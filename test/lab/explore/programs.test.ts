import t from 'tap';
import { designNamed, PRESETS } from '../../../src/core/locking/presets.js';
import { isAllowed } from '../../../src/lab/explore/expectations.js';
import { explore } from '../../../src/lab/explore/explore.js';
import { parseProgram, scenarioOf } from '../../../src/lab/explore/programs/program.js';
import {
  describeUnexpected,
  PREPARED_NAMES,
  programsOf,
  runProgram,
  selected,
} from '../../../src/lab/explore/programs/sweep.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { findSeededBug } from '../../../src/lab/explore/seeded-bugs.js';
import { tier } from '../../support/tier.js';

t.setTimeout(600_000);

const ALL = programsOf({ designs: [], machines: PREPARED_NAMES });

t.test('every program has a name that regenerates it', async (t) => {
  for (const { machine, programs, unrelated } of ALL) {
    t.comment(`${machine}: ${programs.length} programs, ${unrelated} left out`);
    t.ok(programs.length >= (machine === 'ring' ? 20 : 500), machine);
    t.same(
      programs.filter((program) => JSON.stringify(parseProgram(program.name)) !== JSON.stringify(program)),
      [],
    );
    t.equal(new Set(programs.map(({ name }) => name)).size, programs.length, 'no name stands for two programs');
  }
});

t.test('what no program can be has no name', async (t) => {
  for (const name of [
    'generated:one-shot:',
    'generated:one-shot:write-due.vcpu2',
    'generated:one-shot:reset.vcpu0',
    'generated:one-shot:step.vcpu0',
    'generated:none:write-due.vcpu0',
    'generated:one-shot:write-due.vcpu0~callback.main',
    'generated:one-shot:+write-due.vcpu0',
    'generated:toString:write-due.vcpu0',
  ]) {
    t.equal(parseProgram(name), undefined, name);
  }
});

/** Presets that must have no unexpected finding, in programs spread over all machines. */
const PRESETS_TRIED = ['lockless-irq', 'lockless-timer', 'deferred-revalidated'] as const;
const DESIGNS = (tier.exploresAllDesigns ? PRESETS_TRIED : [PRESETS_TRIED[0]]).map((name) => ({
  name,
  design: PRESETS[name],
}));

t.test('generated programs find nothing that a design may not have', async (t) => {
  for (const named of DESIGNS) {
    for (const generated of ALL.filter(({ machine }) => machine !== 'ring')) {
      for (const program of selected(generated, tier.programStride)) {
        t.same(describeUnexpected(runProgram(program, named)), [], `${named.name} × ${program.name}`);
      }
    }
  }
});

/** Seeded bugs, and a generated program that finds each. The first two were once in released code. */
const FOUND: readonly (readonly [bug: string, program: string])[] = [
  ['kick-generation-not-cleared', 'generated:one-shot:write-due.vcpu0+callback.main'],
  ['ring-waiter-flag-shared', 'generated:ring:line-up.vcpu0+callback.main'],
  ['cancelled-callback-runs', 'generated:one-shot:write-due.vcpu0+callback.main'],
  ['expired-deadline-not-armed', 'generated:one-shot:write-due.vcpu0+callback.main'],
  ['deadline-one-tick-late', 'generated:one-shot:write-comparator.vcpu0+write-comparator.vcpu1'],
  ['line-source-off-by-one', 'generated:one-shot:line-up.vcpu0+rtc-up.gateway'],
  ['eoi-ignores-line-level', 'generated:level:eoi.vcpu0+read-entry.vcpu1'],
  ['deferred-edge-overwritten', 'generated:one-shot:write-due.vcpu0+callback.main'],
  ['queue-not-rechecked', 'generated:one-shot:line-up.vcpu0+rtc-up.gateway'],
];

/** More states than any of them needs. */
const MOST_STATES = 60_000;

for (const [name, program] of tier.exploresAllDesigns ? FOUND : FOUND.slice(0, 1)) {
  t.test(`${name} is found by ${program}`, async (t) => {
    const bug = findSeededBug(name);
    const named = designNamed(bug?.design ?? bug?.locking ?? '');
    if (!bug || !named) throw new Error(`there is no seeded bug ${name}`);
    const scenario = scenarioNamed(program);
    const isNew = ({ kind }: { kind: Parameters<typeof isAllowed>[2] }) => !isAllowed(bug.locking, program, kind);
    const clean = explore(scenario, named.design, { mutex: 'blocking', maxStates: MOST_STATES });
    t.same(clean.findings.filter(isNew), [], 'without the bug there is nothing');
    const { findings } = explore(scenario, named.design, {
      mutex: 'blocking',
      maxStates: MOST_STATES,
      isEnough: isNew,
      ...bug.options,
    });
    t.ok(findings.some(isNew), findings.map(({ kind, summary }) => `${kind}: ${summary}`).join('; '));
  });
}

t.test('a callback that asks the event ring for more room is not the start of the next one', async (t) => {
  const scenario = scenarioNamed('generated:ring:write-due.vcpu0+callback.main');
  const { findings } = explore(scenario, PRESETS['lockless-timer+irq'], { mutex: 'blocking', maxStates: 30_000 });
  t.same(findings, []);
});

t.test('a snapshot between decision and application is one that the reference has', async (t) => {
  for (const preset of ['deferred-irq', 'deferred-revalidated'] as const) {
    const scenario = scenarioNamed('generated:level:write-status.vcpu0+save.gateway');
    const { findings } = explore(scenario, PRESETS[preset], { mutex: 'blocking' });
    t.notOk(
      findings.some(({ kind }) => kind === 'not-serializable'),
      preset,
    );
  }
});

t.test('a program in real-time order keeps it in the reference', async (t) => {
  const program = parseProgram('generated:level:write-status.vcpu0~read-status.vcpu1');
  t.ok(program);
  if (!program) return;
  const { findings, ends } = explore(scenarioOf(program), PRESETS['lockless-irq'], { mutex: 'blocking' });
  t.same(findings, []);
  t.ok(ends > 0);
});
