import { describeStep } from '../replay/render.js';
import type { Output } from '../replay/trace.js';
import { textOf } from './comparison.js';
import type { ProgramStep } from './program.js';
import { optionsOf } from './qemu.js';
import type { Board } from './qom.js';
import { readLine, writeLine } from './qtest-process.js';
import type { Shrunk } from './shrink.js';

/** The shortest program that shows a difference, as a table: its steps, and what each machine gave for the last one. */
export function tableOf({ program, difference }: Shrunk): string {
  const rows = program.actions.map(({ step, times }, index): [string, string, string] => {
    const text = times === 1 ? textOfStep(step) : `${times} times ${textOfStep(step)}`;
    const isLast = index === program.actions.length - 1;
    return [text, isLast ? textOf(step, difference.expected) : '', isLast ? textOf(step, difference.got) : ''];
  });
  const all: [string, string, string][] = [['step', 'expected', 'got'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column].length)));
  return all.map(([a, b, c]) => `${a.padEnd(widths[0])}  ${b.padEnd(widths[1])}  ${c}`.trimEnd()).join('\n');
}

/** The same as a function for QEMU's tests/qtest, which fails on the QEMU that was compared. */
export function functionOf({ program, difference }: Shrunk, board: Board): string {
  const name = program.name.toLowerCase().replace(/\W+/g, '_');
  const { kind } = program.setup;
  const lines: string[] = [];
  if (kind === 'hpet') lines.push(`qtest_irq_intercept_out_named(qts, "${board.hpet}", "sysbus-irq");`);
  if (kind === 'pic') lines.push(`qtest_irq_intercept_out(qts, "${board.master}");`);
  for (const { step, times } of program.actions.slice(0, -1))
    lines.push(...repeated(statementOf(step, board, kind), times));
  const last = program.actions.at(-1);
  if (last) {
    if (last.times > 1) lines.push(...repeated(statementOf(last.step, board, kind), last.times - 1));
    lines.push(...assertion(last.step, board, kind, difference.expected));
  }
  return [
    `static void test_${name}(void)`,
    '{',
    `    QTestState *qts = qtest_init("${optionsOf(program.setup).join(' ')}");`,
    '',
    ...lines.map((line) => `    ${line}`),
    '    qtest_quit(qts);',
    '}',
  ].join('\n');
}

function textOfStep(step: ProgramStep): string {
  return step.op === 'reset' ? 'system reset' : describeStep(step);
}

function repeated(statement: string, times: number): string[] {
  return times === 1 ? [statement] : [`for (int i = 0; i < ${times}; i++) {`, `    ${statement}`, '}'];
}

function statementOf(step: ProgramStep, { ioapic, master, slave }: Board, kind: string): string {
  switch (step.op) {
    case 'read':
      return `${callOf(readLine(step.address, step.size))};`;
    case 'write':
      return `${callOf(writeLine(step.address, step.size, step.value))};`;
    case 'clock_step':
      return `qtest_clock_step(qts, ${step.ns}LL);`;
    case 'set_irq': {
      const path = kind !== 'pic' ? ioapic : step.pin < 8 ? master : slave;
      const pin = kind === 'pic' ? step.pin & 7 : step.pin;
      return `qtest_set_irq_in(qts, "${path}", NULL, ${pin}, ${step.level});`;
    }
    case 'eoi':
      return `qtest_writel(qts, 0xfec00040, 0x${step.vector.toString(16)});`;
    case 'reset':
      return 'qtest_system_reset(qts);';
    case 'in':
      return `qtest_inb(qts, 0x${step.port.toString(16)});`;
    case 'out':
      return `qtest_outb(qts, 0x${step.port.toString(16)}, 0x${step.value.toString(16)});`;
    case 'inta':
      return '/* acknowledge cycle of the 8259 pair: pulse an IOAPIC pin with an ExtINT entry */';
  }
}

/** `readl 0x10` as `qtest_readl(qts, 0x10)`. */
function callOf(line: string): string {
  const [command, ...values] = line.split(' ');
  return `qtest_${command}(qts, ${values.map((value) => (value.length > 10 ? `${value}ULL` : value)).join(', ')})`;
}

function assertion(
  step: ProgramStep,
  board: Board,
  kind: string,
  expected: { readonly value: bigint | undefined; readonly outputs: readonly Output[] },
): string[] {
  const statement = statementOf(step, board, kind);
  const value = `0x${(expected.value ?? 0n).toString(16)}`;
  const lines =
    step.op === 'read' || step.op === 'in'
      ? [`g_assert_cmphex(${statement.slice(0, -1)}, ==, ${value}${value.length > 10 ? 'ULL' : ''});`]
      : [statement];
  const levels = new Map<number, number>();
  for (const output of expected.outputs) {
    if (output.out === 'irq') levels.set(output.line, output.level);
    else if (output.out === 'intr') levels.set(0, output.level);
  }
  for (const [line, level] of levels) lines.push(`g_assert_${level ? 'true' : 'false'}(qtest_get_irq(qts, ${line}));`);
  lines.push(`/* expected: ${textOf(step, { ...expected })} */`);
  return lines;
}
