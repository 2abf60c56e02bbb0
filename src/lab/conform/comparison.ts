import { hexadecimal, renderOutputs } from '../replay/render.js';
import type { Outcome, ReplayOptions } from '../replay/target.js';
import {
  isVisible,
  type Program,
  type ProgramMachine,
  type ProgramStep,
  type ProgramTarget,
  performStep,
} from './program.js';

/** Where the two machines first differ. */
export interface Difference {
  /** Index of the action, and how often it was run before. */
  readonly action: number;
  readonly round: number;
  /** What the machine of this process gives. */
  readonly expected: Outcome;
  /** What QEMU gives. */
  readonly got: Outcome;
}

/** Steps that the machine of this process may have in flight. */
const WINDOW = 256;

/** Runs programs on QEMU and on machines of this process, and compares every value, line and message. */
export class Comparison {
  constructor(
    readonly qemu: ProgramTarget,
    readonly model: ProgramTarget,
    readonly options: ReplayOptions,
  ) {}

  /** Undefined: no difference. */
  async run(program: Program): Promise<Difference | undefined> {
    const model = await this.model.open(program.setup, this.options);
    try {
      const qemu = await this.qemu.open(program.setup, this.options);
      try {
        return await compare(program, model, qemu);
      } finally {
        await qemu.close();
      }
    } finally {
      await model.close();
    }
  }
}

async function compare(program: Program, model: ProgramMachine, qemu: ProgramMachine): Promise<Difference | undefined> {
  for (const [action, { step, times }] of program.actions.entries()) {
    for (let done = 0, rounds = 0; done < times; done += rounds) {
      rounds = step.op === 'reset' ? 1 : Math.min(WINDOW, times - done);
      const expected = await Promise.all(Array.from({ length: rounds }, () => performStep(model, step)));
      for (let round = 0; round < rounds; round++) {
        const got = await performStep(qemu, step);
        const shown = visibleOf(program, expected[round]);
        if (textOf(step, shown) !== textOf(step, got)) return { action, round: done + round, expected: shown, got };
      }
    }
  }
  return undefined;
}

function visibleOf(program: Program, outcome: Outcome): Outcome {
  return { ...outcome, outputs: outcome.outputs.filter((output) => isVisible(program.setup, output)) };
}

/** An outcome in words: the value of a read, and what came out. */
export function textOf(step: ProgramStep, { value, outputs, refused }: Outcome): string {
  const parts: string[] = [];
  if (refused !== undefined) parts.push(`refused: ${refused}`);
  if (step.op === 'read') parts.push(hexadecimal(value ?? 0n, step.size));
  if (step.op === 'in' || step.op === 'inta') parts.push(hexadecimal((value ?? 0n) & 0xffn, 1));
  if (outputs.length > 0 || parts.length === 0) parts.push(renderOutputs(outputs));
  return parts.join('; ');
}
