import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { PROFILES, QUIRK_NAMES, type Quirk } from '../../../src/core/devices/quirks.js';
import { Comparison } from '../../../src/lab/conform/comparison.js';
import { KINDS, type Program, type ProgramTarget } from '../../../src/lab/conform/program.js';
import { QemuTarget } from '../../../src/lab/conform/qemu.js';
import type { Board } from '../../../src/lab/conform/qom.js';
import { randomProgram } from '../../../src/lab/conform/random-program.js';
import { functionOf } from '../../../src/lab/conform/report.js';
import { shrink } from '../../../src/lab/conform/shrink.js';
import { WRITTEN } from '../../../src/lab/conform/written-programs.js';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import { NEVER_REPLAYED } from '../../../src/lab/replay/target.js';
import { NO_QEMU, REAL_QEMU } from '../../support/qemu.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';

/** More than any switch needs. */
const SEEDS = 60;
const HEADER = fileURLToPath(new URL('../../../../test/support', import.meta.url));

const [model, other] = [new InProcessTarget(), new InProcessTarget()];
t.teardown(() => Promise.all([model.close(), other.close()]));

/** Machines with one switch turned: off where QEMU has it, on where it has not. */
function turned(quirk: Quirk): ProgramTarget {
  const quirks = { [quirk]: !(PROFILES['qemu-11.1'] as readonly Quirk[]).includes(quirk) };
  const open: ProgramTarget['open'] = (setup, options) => other.open(setup, { ...options, quirks });
  return { name: quirk, open, close: async () => {} };
}

/** The programs of `conform`, in its order. */
function* programs(quirk: Quirk): Generator<Program> {
  const isPic = quirk.startsWith('pic-');
  yield* WRITTEN;
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const kind of KINDS) if ((kind === 'pic') === isPic) yield randomProgram(kind, seed);
  }
}

async function firstThatDiffers(quirk: Quirk): Promise<Program | undefined> {
  const compared = new Comparison(turned(quirk), model, 'qemu-11.1', ['lockless-irq']);
  for (const program of programs(quirk)) if (await compared.run(program)) return program;
  return undefined;
}

const SWITCHES = QUIRK_NAMES.filter((quirk) => !(quirk in NEVER_REPLAYED));
const TRIED = SWITCHES.filter((_, number) => tier.everySwitch || number % 6 === 3);
const found = new Map<Quirk, Program>();

for (const quirk of TRIED) {
  t.test(`with ${quirk} turned, a program of conform differs`, async (t) => {
    const program = await firstThatDiffers(quirk);
    if (!program) return t.fail(`no difference in ${SEEDS} seeds`);
    found.set(quirk, program);
    t.pass(program.name);
  });
}

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const skip = REAL_QEMU === undefined ? NO_QEMU : hasCompiler ? false : 'there is no C compiler';

t.test('a real QEMU differs as well, and what is printed fails on it', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const qemu = new QemuTarget(String(REAL_QEMU));
  t.teardown(() => qemu.close());
  let asserted = 0;
  // Shrinking starts QEMU a few dozen times for each.
  for (const [quirk, program] of [...found].filter((_, n) => tier.conformSeeds >= 1000 || n % 9 === 3)) {
    const compared = new Comparison(qemu, turned(quirk), 'qemu-11.1', ['lockless-irq']);
    const difference = await compared.run(program);
    if (!difference) {
      t.fail(`${quirk}: ${program.name}`);
      continue;
    }
    const shrunk = await shrink({ program, difference }, (smaller) => compared.run(smaller));
    const source = functionOf(shrunk, qemu.board as Board);
    const binary = join(folder, quirk);
    const name = /test_\w+/.exec(source)?.[0];
    writeFileSync(
      `${binary}.c`,
      `#include "libqtest.h"\n${source}\nint main(void)\n{\n    ${name}();\n    return 0;\n}\n`,
    );
    const built = spawnSync('cc', ['-std=gnu11', '-Wall', `-I${HEADER}`, '-o', binary, `${binary}.c`]);
    t.equal(built.status, 0, `${quirk}: ${built.stderr}`);
    const isVisible = source.includes('g_assert');
    const { status, stderr } = spawnSync(binary, {
      env: { ...process.env, QTEST_QEMU_BINARY: REAL_QEMU },
      encoding: 'utf8',
    });
    t.equal(status, isVisible ? 1 : 0, `${quirk}: ${isVisible ? 'the assertion fails' : 'libqtest does not show it'}`);
    if (isVisible) t.match(stderr, /\.c:\d+: /, quirk);
    asserted += isVisible ? 1 : 0;
  }
  t.ok(asserted > 0, `${asserted} differences are visible to libqtest`);
});
