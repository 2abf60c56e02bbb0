import type { Profile } from '../../core/devices/quirks.js';
import type { PresetName } from '../../core/locking/presets.js';
import { hexadecimal, renderOutputs } from '../replay/render.js';
import type { StepOutcome } from '../replay/target.js';
import {
  type Action,
  isControl,
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
  readonly expected: StepOutcome;
  /** What QEMU gives. */
  readonly got: StepOutcome;
}

/** Steps that the machine of this process may have in flight. */
const WINDOW = 256;

/** Runs programs on QEMU and on machines of this process, and compares every value, line and message. */
export class Comparison {
  constructor(
    readonly qemu: ProgramTarget,
    readonly model: ProgramTarget,
    readonly profile: Profile,
    /** Each of these designs is compared with the same run of QEMU. */
    readonly designs: readonly PresetName[],
  ) {}

  /** Undefined: no difference. */
  async run(program: Program): Promise<Difference | undefined> {
    const all: StepOutcome[][][] = [];
    for (const locking of this.designs) all.push(await this.#outcomes(program, locking));
    const qemu = await this.qemu.open(program.setup, { profile: this.profile, locking: this.designs[0] });
    try {
      return await compare(program, all, qemu);
    } finally {
      await qemu.close();
    }
  }

  /** What each round of each action gives on a machine of this process. */
  async #outcomes({ setup, actions }: Program, locking: PresetName): Promise<StepOutcome[][]> {
    const machine = await this.model.open(setup, { profile: this.profile, locking });
    try {
      const all: StepOutcome[][] = [];
      for (const action of actions) all.push(await outcomesOf(machine, action));
      return all;
    } finally {
      await machine.close();
    }
  }
}

async function outcomesOf(machine: ProgramMachine, { step, times }: Action): Promise<StepOutcome[]> {
  const window = isControl(step) ? 1 : WINDOW;
  const outcomes: StepOutcome[] = [];
  while (outcomes.length < times) {
    const rounds = Math.min(window, times - outcomes.length);
    outcomes.push(...(await Promise.all(Array.from({ length: rounds }, () => performStep(machine, step)))));
  }
  return outcomes;
}

async function compare(
  program: Program,
  all: readonly (readonly (readonly StepOutcome[])[])[],
  qemu: ProgramMachine,
): Promise<Difference | undefined> {
  for (const [action, { step, times }] of program.actions.entries()) {
    for (let round = 0; round < times; round++) {
      const got = visibleOf(program, await performStep(qemu, step));
      for (const outcomes of all) {
        const expected = visibleOf(program, outcomes[action][round]);
        if (textOf(step, expected) !== textOf(step, got)) return { action, round, expected, got };
      }
    }
  }
  return undefined;
}

function visibleOf(program: Program, outcome: StepOutcome): StepOutcome {
  return { ...outcome, outputs: outcome.outputs.filter((output) => isVisible(program.setup, output)) };
}

/** An outcome in words: the value of a read, and what came out. */
export function textOf(step: ProgramStep, { value, outputs, refused }: StepOutcome): string {
  const parts: string[] = [];
  if (refused !== undefined) parts.push(`refused: ${refused}`);
  if (step.op === 'read') parts.push(hexadecimal(value ?? 0n, step.size));
  if (step.op === 'in' || step.op === 'inta') parts.push(hexadecimal((value ?? 0n) & 0xffn, 1));
  if (outputs.length > 0 || parts.length === 0) parts.push(renderOutputs(outputs));
  return parts.join('; ');
}
