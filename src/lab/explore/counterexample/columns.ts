import type { CounterexampleDocument } from './counterexample.js';
import { innermostLine, type Step } from './steps.js';

/** Columns of the whole drawing: a terminal of 80 has room for the indentation of the caller. */
const WIDTH = 76;
const INDENT = 2;

/**
 * A counterexample with one column per thread that does something in it, in time order. A step has the locks that the
 * thread holds after it, its source line and its function in QEMU.
 */
export function drawColumns({ threads, steps }: CounterexampleDocument): string {
  const shown = steps.filter(({ number }) => number !== undefined);
  const active = threads.map((_, thread) => thread).filter((thread) => shown.some((step) => step.thread === thread));
  const width = Math.floor((WIDTH - 2 * (active.length - 1)) / active.length);
  const row = (cells: readonly string[]) =>
    cells
      .map((cell) => cell.padEnd(width))
      .join('│ ')
      .trimEnd();
  const lines = [row(active.map((thread) => threads[thread].name)), active.map(() => '─'.repeat(width)).join('┼─')];
  for (const step of shown) {
    // The outcome belongs to no thread.
    if (step.thread < 0) lines.push(...folded(`✗ ${step.text}`, WIDTH));
    for (const line of linesOf(step).flatMap((each) => folded(each, width))) {
      if (step.thread >= 0) lines.push(row(active.map((thread) => (thread === step.thread ? line : ''))));
    }
  }
  lines.push(`(${shown.length} of ${steps.length} steps shown)`);
  return lines.join('\n');
}

function linesOf(step: Step): string[] {
  const held = step.held[step.thread] ?? [];
  const holds = held.length ? `  [${held.join(' ')}]` : '';
  const mark = step.violates ? '✗ ' : step.racy ? '★ ' : '';
  const lines = [`${mark}${step.text}${holds}`];
  const source = innermostLine(step);
  if (source) lines.push(`${' '.repeat(INDENT)}${source}`);
  const qemu = step.qemu.at(-1);
  if (qemu) lines.push(`${' '.repeat(INDENT)}QEMU: ${qemu}`);
  return lines;
}

/** A text in lines of a width, broken at spaces where there are some. */
export function folded(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const space = text.lastIndexOf(' ', width);
  const indent = /^ */.exec(text)?.[0].length ?? 0;
  const end = space > indent ? space : width;
  return [text.slice(0, end).trimEnd(), ...folded(' '.repeat(indent + INDENT) + text.slice(end).trimStart(), width)];
}
