import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Comparison } from '../../../src/lab/conform/comparison.js';
import { isRecordable, KINDS, type Kind, type Program, type ProgramTarget } from '../../../src/lab/conform/program.js';
import { QemuTarget } from '../../../src/lab/conform/qemu.js';
import { randomProgram } from '../../../src/lab/conform/random-program.js';
import { record } from '../../../src/lab/conform/record.js';
import { functionOf, tableOf } from '../../../src/lab/conform/report.js';
import { shrink } from '../../../src/lab/conform/shrink.js';
import { WRITTEN } from '../../../src/lab/conform/written-programs.js';
import { type InProcessMachine, InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import type { ReplayOptions, Setup } from '../../../src/lab/replay/target.js';
import { CLI, southbridgeBeside } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { SILENT } from '../replay/vectors.js';

const folder = temporaryFolder(t);
/** The stand-in of this program, as a binary. */
const STAND_IN = join(folder, 'qemu-system-x86_64');
writeFileSync(STAND_IN, `#!/bin/sh\nexec "${process.execPath}" "${CLI}" qtest "$@"\n`);
chmodSync(STAND_IN, 0o755);

const model = new InProcessTarget();
t.teardown(() => model.close());

/** QEMUs to compare with: the stand-in, and a real one if the environment names it. */
const REAL = process.env.TEST_QEMU;
const BINARIES = REAL ? [STAND_IN, REAL] : [STAND_IN];

const comparison = (qemu: QemuTarget) => new Comparison(qemu, model, 'qemu-11.1', ['lockless-irq', 'bql']);

/** The first random program that a trace can hold: traces have no resets. */
function recordable(kind: Kind): Program {
  for (let seed = 3; ; seed++) {
    const program = randomProgram(kind, seed);
    if (isRecordable(program)) return program;
  }
}

for (const binary of BINARIES) {
  const qemu = new QemuTarget(binary);
  t.teardown(() => qemu.close());

  t.test(`${binary} does not differ`, async (t) => {
    const programs: Program[] = (binary === REAL ? KINDS : (['pic'] as const)).map((kind) => randomProgram(kind, 7));
    if (binary === REAL) programs.push(...WRITTEN);
    for (const program of programs) t.equal(await comparison(qemu).run(program), undefined, program.name);
    t.equal(qemu.version, '11.1.3');
  });

  t.test(`${binary}: a recorded trace is replayed`, async (t) => {
    for (const kind of binary === REAL ? KINDS : (['hpet'] as const)) {
      const lines = await record(recordable(kind), qemu, () => qemu.version);
      const file = join(folder, `${kind}.jsonl`);
      writeFileSync(file, `${lines.join('\n')}\n`);
      const report = await replayAll([{ file, named: true }], model, { locking: 'bql' }, SILENT);
      t.match(report.results, [{ passed: true, mismatch: null, error: null }], kind);
    }
  });
}

/** A QEMU without one of the switches: machines of this process in its place. */
class Deviating extends InProcessTarget {
  override open(setup: Setup, options: ReplayOptions): Promise<InProcessMachine> {
    return super.open(setup, { ...options, quirks: { 'pic-masked-eoi': false } });
  }
}

t.test('the first difference is shrunk to steps that are all needed', async (t) => {
  const deviating = new Deviating();
  t.teardown(() => deviating.close());
  const compared = new Comparison(deviating, model, 'qemu-11.1', ['lockless-irq']);
  const program = WRITTEN.find(({ name }) => name === 'special mask mode') as Program;
  const difference = await compared.run(program);
  if (!difference) return t.fail('no difference');
  const shrunk = await shrink({ program, difference }, (smaller) => compared.run(smaller));
  const { actions } = shrunk.program;
  t.ok(actions.length < program.actions.length, `${actions.length} of ${program.actions.length} steps are left`);
  for (let gone = 0; gone < actions.length; gone++) {
    const smaller = { ...program, actions: actions.filter((_, n) => n !== gone) };
    t.equal(await compared.run(smaller), undefined, `step ${gone} is needed`);
  }
  t.match(tableOf(shrunk), /^step +expected +got\n/);
  const board = { version: '11.1.3', hpet: '/hpet', ioapic: '/ioapic', master: '/master', slave: '/slave' };
  const source = functionOf(shrunk, board);
  t.match(source, /^static void test_special_mask_mode\(void\)\n\{\n {4}QTestState \*qts = qtest_init\(".*"\);/);
  t.match(source, /qtest_irq_intercept_out\(qts, "\/master"\);/);
  t.match(source, /qtest_outb\(qts, 0x20, 0x68\);/);
});

t.test('every switch that has a hand-written program makes it differ', async (t) => {
  const other = new InProcessTarget();
  t.teardown(() => other.close());
  for (const [quirk, name] of [
    ['eoi-storm', 'EOI storm'],
    ['extint', 'ExtINT without a pair'],
    ['huge-comparator', 'comparator of 2^63 ns'],
    ['wrap-fires-32', '32-bit one-shot over the wrap'],
    ['expired-fires-again', 'expired timers'],
    ['counter-write-running', 'counter written while it runs'],
    ['pic-nested-slave', 'special fully nested mode'],
    ['pic-masked-eoi', 'special mask mode'],
  ] as const) {
    const options = { profile: 'qemu-11.1', locking: 'lockless-irq', quirks: { [quirk]: false } } as const;
    const without: ProgramTarget = {
      name: 'without',
      open: (setup) => other.open(setup, options),
      close: () => other.close(),
    };
    const compared = new Comparison(without, model, 'qemu-11.1', ['lockless-irq']);
    const [program] = WRITTEN.filter((written) => written.name === name);
    t.ok(await compared.run(program), `${quirk}: ${name}`);
  }
});

t.test('the same seed gives the same program', async (t) => {
  for (const kind of KINDS) t.same(randomProgram(kind, 5), randomProgram(kind, 5));
  t.not(JSON.stringify(randomProgram('pic', 5).actions.map(({ step }) => step.op)), '');
});

t.test('repeats are shortened to the least that differs', async (t) => {
  const [storm] = WRITTEN.filter(({ name }) => name === 'EOI storm');
  const run = async (program: Program) => {
    const action = program.actions.findIndex(({ step, times }) => step.op === 'eoi' && times >= 137);
    const outcome = { value: undefined, outputs: [] };
    return action < 0 ? undefined : { action, round: 136, expected: outcome, got: outcome };
  };
  const difference = await run(storm);
  if (!difference) return t.fail('no difference');
  const { program } = await shrink({ program: storm, difference }, run);
  t.same(program.actions, [{ step: { op: 'eoi', vector: 0x50 }, times: 137 }]);
});

t.test('status 0, 1 and 2', async (t) => {
  const same = await southbridgeBeside(['conform', '--qemu', STAND_IN, '--device', 'wired', '--seeds', '1', '--json']);
  t.equal(same.status, 0, same.stderr);
  t.match(JSON.parse(same.stdout), { qemu: '11.1.3', programs: 2, difference: null });
  const options = ['--', '-global', 'hpet.timers=4'];
  const other = await southbridgeBeside([
    'conform',
    '--qemu',
    STAND_IN,
    '--device',
    'hpet',
    '--seeds',
    '1',
    ...options,
  ]);
  t.equal(other.status, 1, other.stderr);
  t.match(other.stdout, /differs in .*:\n\nstep +expected +got\n[\s\S]*static void test_/);
  const missing = await southbridgeBeside(['conform', '--qemu', join(folder, 'none')]);
  t.equal(missing.status, 2);
  t.match(missing.stderr, /^error: QEMU could not be started: .*ENOENT/);
  const ending = await southbridgeBeside(['conform', '--qemu', '/bin/false']);
  t.equal(ending.status, 2);
  t.match(ending.stderr, /^error: QEMU ended with status 1 before it connected/);
});
