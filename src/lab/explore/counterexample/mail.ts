import { folded } from './columns.js';
import type { CounterexampleDocument } from './counterexample.js';
import { QEMU_LOCKS } from './qemu-names.js';
import { mappedLine, type Step } from './steps.js';

const WIDTH = 72;

/** QEMU's names of registers, fields and locks. */
const QEMU_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bbql\b/g, QEMU_LOCKS.bql],
  [/\bdevice\b/g, QEMU_LOCKS.device],
  [/\bhpet\.status\b/g, 's->isr'],
  [/\bhpet\.configuration\b/g, 's->config'],
  [/\bhpet\.timer\[(\d+)\]\.configuration\b/g, 't->config'],
  [/\bhpet\.timer\[(\d+)\]\.comparator\b/g, 't->cmp'],
  [/\bhpet\.timer\[(\d+)\]\.target\b/g, 't->cmp64'],
  [/\bhpet\.timer\[(\d+)\]\.period\b/g, 't->period'],
  [/\brouter\.sources\[(\d+)\]/g, 'GSI $1'],
];

/** A text with QEMU's names in place of ours. */
function inQemuWords(text: string): string {
  return QEMU_WORDS.reduce((words, [ours, theirs]) => words.replace(ours, theirs), text);
}

/**
 * A counterexample as text for a mailing list: `head`, the steps, the locks held, and how to reproduce it. `again`: the
 * command that replays it, up to the replay string.
 */
export function mailOf(head: string, document: CounterexampleDocument, again: string): string {
  const { threads, consequence, summary, kind, description } = document;
  const parts = [
    paragraph(head),
    paragraph(`${kind}: ${inQemuWords(summary)}`),
    paragraph(consequence),
    paragraph(`Scenario: ${description}.`),
    threads.map(({ name, role }) => `  ${name} = ${role}`).join('\n'),
    stepsInMail(document).join('\n'),
    lockSummary(document).join('\n'),
    `To reproduce:\n${shellLines(again, document.replay).join('\n')}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function paragraph(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => folded(line, WIDTH))
    .map((line, index) => (index === 0 ? line : line.trimStart()))
    .join('\n');
}

/** The numbered steps. Those between the last violating step and the outcome change nothing about it. */
function stepsInMail({ steps, threads }: CounterexampleDocument): string[] {
  const shown = steps.filter(({ number }) => number !== undefined);
  const outcome = shown.findIndex(({ thread }) => thread < 0);
  const last = shown.slice(0, outcome < 0 ? undefined : outcome).findLastIndex(({ violates }) => violates);
  const lines: string[] = [];
  for (const [index, step] of shown.entries()) {
    if (outcome >= 0 && last >= 0 && index > last && index < outcome) {
      if (index === last + 1) lines.push(`     (${outcome - index} more steps; none of them corrects it)`);
      continue;
    }
    const thread = threads[step.thread]?.name;
    const what = `${thread ? `${thread}: ` : ''}${textInMail(step)}${step.violates && thread ? '   <-- here' : ''}`;
    lines.push(...hanging(`${String(step.number).padStart(3)}. `, inQemuWords(what)));
    const qemu = step.qemu.at(-1);
    if (qemu) lines.push(...hanging('       ', `${qemu}  (${mappedLine(step)})`));
  }
  return lines;
}

function textInMail({ text, lock }: Step): string {
  return lock ? text.replace(lock.name, lock.qemu) : text;
}

/** A text behind a label, with its further lines below its first. */
function hanging(label: string, text: string): string[] {
  const lines = folded(text, WIDTH - label.length);
  return lines.map((line, index) => (index === 0 ? label + line : ' '.repeat(label.length) + line.trimStart()));
}

interface Held {
  readonly qemu: string;
  readonly step: Step;
}

/** The locks that each thread holds in the end, and for a deadlock the acquisitions in order, as lockdep prints them. */
function lockSummary({ steps, threads, kind }: CounterexampleDocument): string[] {
  const held = heldAtViolation(steps, threads.length);
  const lines: string[] = [];
  for (const [thread, locks] of held.entries()) {
    if (locks.length === 0) continue;
    lines.push(`${locks.length} lock${locks.length > 1 ? 's' : ''} held by ${threads[thread].name}:`);
    for (const [index, { qemu, step }] of locks.entries()) {
      const where = `${step.qemu.at(-1) ?? threads[thread].name} (${mappedLine(step)})`;
      lines.push(...hanging(` #${index}: `, `(${qemu}), at: ${where}`));
    }
  }
  if (kind !== 'deadlock' || lines.length === 0) return lines;
  return [...lines, '', ...unsafeScenario(steps, threads, held), '', ' *** DEADLOCK ***'];
}

/** Per thread, the locks that it holds after the last violating step, in the order in which it took them. */
function heldAtViolation(steps: readonly Step[], threads: number): Held[][] {
  const held = Array.from({ length: threads }, (): Held[] => []);
  const end = steps.findLastIndex(({ violates, thread }) => violates && thread >= 0);
  for (const step of steps.slice(0, end < 0 ? steps.length : end + 1)) {
    const { lock, thread, text } = step;
    if (!lock || /^is about to/.test(text)) continue;
    if (lock.action === 'takes') held[thread].push({ qemu: lock.qemu, step });
    if (lock.action === 'releases') held[thread] = held[thread].filter(({ qemu }) => qemu !== lock.qemu);
  }
  return held;
}

/** One column per thread: the locks that it holds, then the one that it waits for. */
function unsafeScenario(
  steps: readonly Step[],
  threads: CounterexampleDocument['threads'],
  held: readonly (readonly Held[])[],
): string[] {
  const taken = held.flat().map(({ step }) => step);
  const waiting = steps.filter(({ violates, lock }) => violates && lock);
  const order = steps.filter((step) => taken.includes(step) || waiting.includes(step));
  const columns = [...new Set(order.map(({ thread }) => thread))].sort((one, other) => one - other);
  const width = Math.floor((WIDTH - 2) / columns.length);
  const row = (cells: readonly string[]) => `  ${cells.map((cell) => cell.padEnd(width)).join('')}`.trimEnd();
  const names = columns.map((thread) => threads[thread].name);
  return [
    row(names),
    row(names.map((name) => '-'.repeat(name.length))),
    ...order.map(({ thread, lock }) => row(columns.map((each) => (each === thread ? `lock(${lock?.qemu});` : '')))),
  ];
}

/** A command line whose last word is too long for a line, continued as a shell reads it. */
function shellLines(command: string, word: string): string[] {
  const whole = `  ${command} ${word}`;
  if (whole.length <= WIDTH) return [whole];
  // An option, or the program, per line where the command alone is too long.
  const words = `  ${command} \\`.length <= WIDTH ? [command] : command.split(/ (?=--)/);
  const lines = words.map((part, index) => `  ${index === 0 ? '' : '  '}${part} \\`);
  // Without indentation: the parts of the word belong together.
  for (let rest = word; rest !== ''; rest = rest.slice(WIDTH - 1)) {
    lines.push(rest.length < WIDTH ? rest : `${rest.slice(0, WIDTH - 1)}\\`);
  }
  return lines;
}
