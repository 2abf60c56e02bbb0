import type { NamedDesign } from '../core/locking/presets.js';
import { worstFirst } from '../lab/explore/finding.js';
import {
  type Part,
  PREPARED_NAMES,
  programsOf,
  type SweepOptions,
  selected,
  sweep,
} from '../lab/explore/programs/sweep.js';
import { ownCommand, Progress, wrapped } from './terminal.js';

export interface GeneratedOptions {
  readonly locking: readonly NamedDesign[];
  readonly prepared?: readonly string[];
  readonly triples?: true;
  readonly every?: number;
  readonly jobs?: number;
  readonly progress?: string;
  readonly json?: true;
}

/** Explores generated programs; returns whether each design has only findings that it may have. */
export async function exploreGenerated(options: GeneratedOptions): Promise<boolean> {
  const { prepared = PREPARED_NAMES, every = 1 } = options;
  const how: SweepOptions = {
    ...options,
    designs: options.locking,
    machines: prepared,
    progressFile: options.progress,
  };
  const write = (text: string) => {
    if (!options.json) process.stdout.write(`${wrapped(text)}\n`);
  };
  for (const generated of programsOf(how)) {
    const { machine, programs, unrelated, symmetric } = generated;
    const chosen = every > 1 ? `${selected(generated, every).length} of ` : '';
    write(
      `${machine}: ${chosen}${programs.length} programs; left out: ${unrelated} whose operations share no word, ${symmetric} symmetric`,
    );
  }
  const parts: Part[] = [];
  let line = '';
  const progress: Progress = new Progress(() => line);
  try {
    for await (const { part, done, total } of sweep(how)) {
      parts.push(part);
      line = `${progress.of(done, total)}: ${part.locking} × ${part.machine}`;
      progress.clear();
      for (const text of part.unexpected) write(`${part.locking}: ${text}`);
      progress.show(line);
    }
  } finally {
    progress.end();
  }
  const verdicts = options.locking.map(({ name }) => verdictOf(name, parts));
  if (options.json) process.stdout.write(`${JSON.stringify({ verdicts, parts })}\n`);
  for (const { locking, programs, complete, states, kinds, unexpected } of verdicts) {
    const found = kinds.length > 0 ? kinds.join(', ') : 'no findings';
    write(
      `${locking}: ${found}; ${programs} programs, ${complete} complete, the others up to 1 or 2 preemptions; ${states} states; ` +
        `${unexpected} unexpected findings`,
    );
  }
  if (!verdicts.every(({ unexpected }) => unexpected === 0)) {
    write(`Replay a finding with: ${ownCommand()} explore --replay STRING`);
  }
  return verdicts.every(({ unexpected }) => unexpected === 0);
}

function verdictOf(locking: string, all: readonly Part[]) {
  const parts = all.filter((part) => part.locking === locking);
  const sum = (pick: (part: Part) => number) => parts.reduce((total, part) => total + pick(part), 0);
  const kinds = [...new Set(parts.flatMap((part) => part.kinds))];
  return {
    locking,
    programs: sum(({ programs }) => programs),
    complete: sum(({ complete }) => complete),
    states: sum(({ states }) => states),
    kinds: worstFirst(kinds.map((kind) => ({ kind, summary: '' }))).map(({ kind }) => kind),
    unexpected: sum(({ unexpected }) => unexpected.length),
  };
}
