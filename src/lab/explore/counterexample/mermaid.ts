import type { CounterexampleDocument } from './counterexample.js';
import type { Step } from './steps.js';

/**
 * A counterexample as a Mermaid sequence diagram: the guest, the threads, and the locks, which are active while a thread
 * holds them.
 */
export function mermaidOf({ threads, steps, kind }: CounterexampleDocument): string {
  const shown = steps.filter(({ number }) => number !== undefined);
  const locks = [...new Set(shown.flatMap(({ lock }) => lock?.name ?? []))];
  const qemu = new Map(shown.flatMap(({ lock }) => (lock ? [[lock.name, lock.qemu]] : [])));
  const lines = ['sequenceDiagram', '  actor G as guest'];
  for (const [thread, { name }] of threads.entries()) {
    if (shown.some((step) => step.thread === thread)) lines.push(`  participant T${thread} as ${name}`);
  }
  for (const [index, lock] of locks.entries())
    lines.push(`  participant L${index} as ${plain(qemu.get(lock) ?? lock)}`);
  const active = new Set<string>();
  for (const step of shown) {
    lines.push(`  ${messageOf(step, locks, active)}`);
    if (step.violates && step.thread >= 0) lines.push(`  Note over T${step.thread}: ✗ ${kind}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `active`: the locks that are drawn as held. */
function messageOf(step: Step, locks: readonly string[], active: Set<string>): string {
  const { thread, lock, text, guest, number } = step;
  if (thread < 0) return `Note over G: ✗ ${plain(text)}`;
  const name = `T${thread}`;
  const at = step.qemu.at(-1);
  const where = at ? ` (${at})` : '';
  if (guest) {
    const says = plain(`${number} ${guest}`);
    // A request comes from the guest; an event or an answer goes to it.
    return /^guest /.test(guest) ? `G->>${name}: ${says.replace(/guest /, '')}` : `${name}-->>G: ${says}`;
  }
  if (!lock) return `Note over ${name}: ${plain(`${number} ${text}${where}`)}`;
  const to = `L${locks.indexOf(lock.name)}`;
  const says = plain(`${number} ${text.replace(` ${lock.name}`, '')}${where}`);
  if (lock.action === 'takes' && !/^is about to/.test(text) && !active.has(lock.name)) {
    active.add(lock.name);
    return `${name}->>${to}: ${says}\n  activate ${to}`;
  }
  if (lock.action === 'releases' && active.delete(lock.name)) return `${name}->>${to}: ${says}\n  deactivate ${to}`;
  return `${name}-x${to}: ${says}`;
}

/** Without the characters that end a statement of Mermaid. */
function plain(text: string): string {
  return text.replace(/[;#]/g, ',').replace(/->/g, '.');
}
