import { describeStep } from '../replay/render.js';
import type { Output } from '../replay/trace.js';
import { type Difference, textOf } from './comparison.js';
import { isControl, type ProgramStep } from './program.js';
import { acknowledgeAccesses, optionsOf, SPARE_PIN } from './qemu.js';
import type { Board } from './qom.js';
import { RTC_INPUT, readLine, writeLine } from './qtest-process.js';
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

/** The same as a function for QEMU's tests/qtest, which fails on the QEMU that was compared; `extra` are its options. */
export function functionOf({ program, difference }: Shrunk, board: Board, extra: readonly string[] = []): string {
  const name = program.name.toLowerCase().replace(/\W+/g, '_');
  const { kind } = program.setup;
  const lines: string[] = [];
  if (kind === 'hpet') lines.push(`qtest_irq_intercept_out_named(qts, "${board.hpet}", "sysbus-irq");`);
  if (kind === 'pic') {
    lines.push(`qtest_irq_intercept_out(qts, "${board.master}");`, ...acknowledgeEntry());
  }
  for (const { step, times } of program.actions.slice(0, -1))
    lines.push(...repeated(statementOf(step, board, kind), times));
  const last = program.actions.at(-1);
  if (last) {
    if (last.times > 1) lines.push(...repeated(statementOf(last.step, board, kind), last.times - 1));
    lines.push(...assertion(last.step, board, kind, difference));
  }
  return [
    `static void test_${name}(void)`,
    '{',
    `    QTestState *qts = qtest_init("${[...optionsOf(program.setup), ...extra].join(' ')}");`,
    '',
    ...lines.map((line) => `    ${line}`),
    '    qtest_quit(qts);',
    '}',
  ].join('\n');
}

function textOfStep(step: ProgramStep): string {
  if (!isControl(step)) return describeStep(step);
  return step.op === 'reset' ? 'system reset' : `RTC level ${step.level}`;
}

/** A pulse of this pin is an acknowledge cycle of the 8259 pair: its entry is ExtINT. */
function acknowledgeEntry(): string[] {
  return acknowledgeAccesses().map((line) => `${callOf(line)};`);
}

function repeated(statement: string, times: number): string[] {
  const lines = statement.split('\n');
  if (times === 1) return lines;
  return [`for (int i = 0; i < ${times}; i++) {`, ...lines.map((line) => `    ${line}`), '}'];
}

function statementOf(step: ProgramStep, { hpet, ioapic, master, slave }: Board, kind: string): string {
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
      return ['qtest_system_reset(qts);', ...(kind === 'pic' ? acknowledgeEntry() : [])].join('\n');
    case 'rtc':
      return `qtest_set_irq_in(qts, "${hpet}", NULL, ${RTC_INPUT}, ${step.level});`;
    case 'in':
      return `qtest_inb(qts, 0x${step.port.toString(16)});`;
    case 'out':
      return `qtest_outb(qts, 0x${step.port.toString(16)}, 0x${step.value.toString(16)});`;
    case 'inta':
      return [1, 0].map((level) => `qtest_set_irq_in(qts, "${ioapic}", NULL, ${SPARE_PIN}, ${level});`).join('\n');
  }
}

/** `readl 0x10` as `qtest_readl(qts, 0x10)`. */
function callOf(line: string): string {
  const [command, ...values] = line.split(' ');
  return `qtest_${command}(qts, ${values.map((value) => (value.length > 10 ? `${value}ULL` : value)).join(', ')})`;
}

function assertion(step: ProgramStep, board: Board, kind: string, { expected, got }: Difference): string[] {
  const statement = statementOf(step, board, kind);
  const lines = statement.split('\n');
  const asserts: string[] = [];
  if ((step.op === 'read' || step.op === 'in') && expected.value !== got.value) {
    const value = `0x${(expected.value ?? 0n).toString(16)}`;
    lines.pop();
    asserts.push(`g_assert_cmphex(${statement.slice(0, -1)}, ==, ${value}${value.length > 10 ? 'ULL' : ''});`);
  }
  for (const [line, level] of differingLevels(expected.outputs, got.outputs))
    asserts.push(`g_assert_${level ? 'true' : 'false'}(qtest_get_irq(qts, ${line}));`);
  const hidden = asserts.length > 0 ? '' : '; libqtest does not show the difference';
  return [...lines, ...asserts, `/* expected: ${textOf(step, { ...expected })}${hidden} */`];
}

/** The lines whose levels differ after a step, with the level that is expected. */
function differingLevels(expected: readonly Output[], got: readonly Output[]): [line: number, level: number][] {
  const changes = (outputs: readonly Output[]) =>
    outputs.flatMap((output): [number, number][] => {
      if (output.out === 'irq') return [[output.line, output.level]];
      return output.out === 'intr' ? [[0, output.level]] : [];
    });
  const [ours, theirs] = [changes(expected), changes(got)];
  const lines = [...new Set([...ours, ...theirs].map(([line]) => line))];
  return lines.flatMap((line): [number, number][] => {
    const ofLine = (all: [number, number][]) => all.filter(([number]) => number === line).map(([, level]) => level);
    // Until this step both had the same level, so that the first change of either tells what it was.
    const before = 1 - (ofLine(ours)[0] ?? ofLine(theirs)[0]);
    const [is, not] = [ours, theirs].map((all) => ofLine(all).at(-1) ?? before);
    return is === not ? [] : [[line, is]];
  });
}
