import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { optionsOf } from '../../../src/lab/conform/qemu.js';
import { readLine, writeLine } from '../../../src/lab/conform/qtest-process.js';
import { readTrace, type Step, type Trace } from '../../../src/lab/replay/trace.js';
import { CLI } from '../../support/program.js';
import { NO_QEMU, REAL_QEMU } from '../../support/qemu.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';
import { GOLDEN, PIC } from '../replay/vectors.js';

/*
 * A C program that listens as libqtest does, with its functions (`test/support/libqtest.h`), drives `southbridge qtest`
 * through recorded traces: each read is an assertion, and the level of each line after a step that changed it.
 */

const HEADER = fileURLToPath(new URL('../../../../test/support', import.meta.url));
const UNATTACHED = '/machine/unattached';

/** Where QEMU 11.1.3 has the devices of `q35`, and so the stand-in. */
const HPET = `${UNATTACHED}/device[5]`;
const [MASTER, SLAVE] = [3, 4].map((n) => `${UNATTACHED}/device[${n}]`);
const IOAPIC = '/machine/q35/ioapic';

/** `readl 0x10` as `qtest_readl(s, 0x10)`. */
function call(line: string): string {
  const [name, ...values] = line.split(' ');
  return `qtest_${name}(s, ${values.map((value) => `${value}ULL`).join(', ')})`;
}

function input(path: string, pin: number, level: number): string {
  return `qtest_set_irq_in(s, "${path}", NULL, ${pin}, ${level})`;
}

function statements(step: Step, kind: Trace['kind']): string[] {
  switch (step.op) {
    case 'read':
      return [`g_assert_cmphex(${call(readLine(step.address, step.size))}, ==, ${step.value}ULL)`];
    case 'write':
      return [call(writeLine(step.address, step.size, step.value))];
    case 'clock_step':
      return [`qtest_clock_step(s, ${step.ns}LL)`];
    case 'set_irq':
      if (kind !== 'pic') return [input(IOAPIC, step.pin, step.level)];
      return [input(step.pin < 8 ? MASTER : SLAVE, step.pin & 7, step.level)];
    case 'eoi':
      return [call(writeLine(0xfec0_0040, 4, BigInt(step.vector)))];
    case 'in':
      return [`g_assert_cmphex(qtest_inb(s, ${step.port}), ==, ${step.value})`];
    case 'out':
      return [`qtest_outb(s, ${step.port}, ${step.value})`];
    case 'inta':
      return [input(IOAPIC, 23, 1), input(IOAPIC, 23, 0)];
  }
}

function functionOf(trace: Trace, number: number): string {
  const { kind, lines } = trace;
  const body = [`QTestState *s = qtest_init("${optionsOf(trace).join(' ')}")`];
  if (kind === 'hpet') body.push(`qtest_irq_intercept_out_named(s, "${HPET}", "sysbus-irq")`);
  if (kind === 'pic') {
    body.push(
      `qtest_irq_intercept_out(s, "${MASTER}")`,
      call('writel 0xfec00000 0x3e'),
      call('writel 0xfec00010 0x700'),
    );
  }
  for (const { step, outputs } of lines) {
    body.push(...statements(step, kind));
    const levels = new Map<number, number>();
    for (const output of outputs) {
      if (output.out === 'irq') levels.set(output.line, output.level);
      if (output.out === 'intr') levels.set(0, output.level);
    }
    for (const [line, level] of levels) body.push(`g_assert_${level ? 'true' : 'false'}(qtest_get_irq(s, ${line}))`);
  }
  body.push('qtest_quit(s)');
  return `static void test_${number}(void)\n{\n${body.map((line) => `    ${line};\n`).join('')}}\n`;
}

/** Short traces: of the HPET, with an IOAPIC, and of the 8259 pair in turn. */
function traces(count: number): Trace[] {
  const all = [...GOLDEN, ...PIC].map(({ file }) => readTrace(file)).filter(({ lines }) => lines.length < 400);
  const groups = [['hpet'], ['ioapic', 'wired'], ['pic']].map((kinds) =>
    all.filter(({ kind }) => kinds.includes(kind)),
  );
  const inTurn = all.flatMap((_, n) => groups.flatMap((group) => group.slice(n, n + 1)));
  return inTurn.slice(0, count);
}

const folder = temporaryFolder(t);
const chosen = traces(tier.compiledTraces);
const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const skip = hasCompiler ? false : 'there is no C compiler';

/** Compiles one program of all traces, whose argument is the number of a trace. */
function compile(programs: readonly Trace[]): string {
  const binary = join(folder, `traces-${programs.length}`);
  const cases = programs.map((_, n) => `    case ${n}: test_${n}(); break;\n`).join('');
  const main = `int main(int count, char **words)\n{\n    switch (count > 1 ? atoi(words[1]) : -1) {\n${cases}    default: return 2;\n    }\n    return 0;\n}\n`;
  writeFileSync(`${binary}.c`, `#include "libqtest.h"\n${programs.map(functionOf).join('\n')}\n${main}`);
  const { status, stderr } = spawnSync('cc', ['-std=gnu11', '-Wall', `-I${HEADER}`, '-o', binary, `${binary}.c`]);
  if (status !== 0) throw new Error(String(stderr));
  return binary;
}

function run(binary: string, number: number, qemu: string) {
  const env = { PATH: process.env.PATH, QTEST_QEMU_BINARY: qemu };
  return spawnSync(binary, [String(number)], { env, encoding: 'utf8' });
}

t.test(`a compiled client drives the stand-in through ${chosen.length} recorded traces`, { skip }, async (t) => {
  t.equal(chosen.length, tier.compiledTraces);
  const binary = compile(chosen);
  const standIn = join(folder, 'qemu-system-x86_64');
  writeFileSync(standIn, `#!/bin/sh\nexec "${process.execPath}" "${CLI}" qtest "$@"\n`);
  chmodSync(standIn, 0o755);
  for (const [number, { file }] of chosen.entries()) {
    const { status, stderr } = run(binary, number, standIn);
    t.equal(status, 0, `${basename(file)}: ${stderr}`);
  }
});

t.test('the same client finds a wrong value', { skip }, async (t) => {
  const [trace] = chosen;
  const read = trace.lines.findIndex(({ step }) => step.op === 'read');
  const lines = trace.lines.map((line, n) => {
    const { step } = line;
    return n === read && step.op === 'read' ? { ...line, step: { ...step, value: (step.value ?? 0n) ^ 1n } } : line;
  });
  const { status, stderr } = run(compile([{ ...trace, lines }]), 0, join(folder, 'qemu-system-x86_64'));
  t.equal(status, 1);
  t.match(stderr, /traces-1\.c:\d+: \(qtest_read/);
});

t.test('a real QEMU passes the same assertions', { skip: skip || (REAL_QEMU === undefined && NO_QEMU) }, async (t) => {
  const some = chosen.slice(0, 10);
  const binary = compile(some);
  for (const [number, { file }] of some.entries()) {
    const { status, stderr } = run(binary, number, String(REAL_QEMU));
    t.equal(status, 0, `${basename(file)}: ${stderr}`);
  }
});
