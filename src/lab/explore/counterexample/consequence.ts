import { INPUT_LEVEL } from '../../../core/devices/gsi/router.js';
import type { Finding } from '../finding.js';
import type { Step } from './steps.js';

/** What follows for the guest, in one sentence. */
export function consequenceOf(
  { kind, summary, word }: Finding,
  steps: readonly Step[],
  threads: readonly string[],
): string {
  switch (kind) {
    case 'deadlock':
    case 'livelock':
      return hang(steps, threads);
    case 'race':
      return /without/.test(summary)
        ? `${word} is accessed without the lock that protects it: ${effectOfRace(word)}.`
        : `Two accesses to ${word} are unordered: ${effectOfRace(word)}.`;
    case 'lock-order':
      return /write section/.test(summary)
        ? 'Nothing in this schedule. A reader of the main counter that holds this lock would spin forever.'
        : 'Nothing in this schedule. It is one half of a deadlock: a thread with the other lock order completes it.';
    case 'atomicity':
      return 'Nothing: no access and no interrupt is wrong. Code that runs under the BQL and relies on state from before the callback may find it changed.';
    case 'assertion':
      return 'QEMU would abort at this point, and the guest with it.';
    case 'stale':
      return staleLine(steps);
    case 'linearizability':
      return wrongOutcome(summary, word, steps);
  }
}

/** Which threads stop, and what stops with them. */
function hang(steps: readonly Step[], threads: readonly string[]): string {
  const stuck = new Set(steps.filter(({ violates }) => violates).map(({ thread }) => thread));
  const names = [...stuck].map((thread) => threads[thread]);
  const parts = names.filter((name) => /^vCPU/.test(name)).map((name) => `${name} never returns from its access`);
  if (names.includes('main loop')) parts.push('no timer fires any more, and the monitor does not answer');
  const others = names.filter((name) => name !== 'main loop' && !/^vCPU/.test(name));
  parts.push(...others.map((name) => `${name} stops`));
  return `The guest hangs: ${parts.join('; ')}.`;
}

function effectOfRace(word = ''): string {
  if (/status/.test(word)) return 'the guest can lose an interrupt, or see one again that it has acknowledged';
  if (/comparator|target|period/.test(word))
    return 'the guest can read a comparator whose halves belong to different values';
  if (/deadline|armed|generation|timers/.test(word))
    return 'a timer can fire that the guest has cancelled, or not fire at all';
  return 'the guest can see a value that no sequential order of the accesses produces';
}

const HOW_LONG = 'until the source changes again';

/** The effect of a stale level: the last change of a line in the schedule. */
function staleLine(steps: readonly Step[]): string {
  const line = lastLine(steps);
  if (!line) return `A line has a level that its source has withdrawn, ${HOW_LONG}.`;
  return `GSI ${line.gsi} is ${line.isHigh ? 'high' : 'low'} by a decision that its source has since reversed.`;
}

function wrongOutcome(summary: string, word: string | undefined, steps: readonly Step[]): string {
  const line = /^line \d+:/.test(summary) ? lastLine(steps, word) : undefined;
  if (line?.isHigh) {
    return `GSI ${line.gsi} stays high although no timer asks for an interrupt: the guest takes a spurious interrupt again and again.`;
  }
  if (line) return `GSI ${line.gsi} stays low although a timer asks for an interrupt: the guest never takes it.`;
  if (/which is lost$/.test(summary)) return `A write is lost: ${effectOfRace(word)}.`;
  const [, vcpu, value] = /^in the end (vCPU \d+)\.answer\[\d+\] is (\S+) and/.exec(summary) ?? [];
  if (vcpu) return `${vcpu} reads ${value}, a value that no sequential order of the accesses produces.`;
  return 'The guest can observe a state that no sequential order of its accesses produces.';
}

/** The last level of a line in the schedule. */
function lastLine(
  steps: readonly Step[],
  word?: string,
): { readonly gsi: number; readonly isHigh: boolean } | undefined {
  const changes = steps
    .flatMap(({ memory }) => memory)
    .filter((change) => {
      return word?.startsWith('router.') ? change.word === word : change.word.startsWith('router.sources[');
    });
  const last = changes.at(-1);
  const gsi = Number(/\d+/.exec(last?.word ?? '')?.[0] ?? -1);
  return last && { gsi, isHigh: (last.to & INPUT_LEVEL) !== 0 };
}
