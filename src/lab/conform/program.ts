import type { Outcome, ReplayMachine, ReplayOptions, ReplayTarget, Setup } from '../replay/target.js';
import { isToldIn, type Output, type Step } from '../replay/trace.js';

export const KINDS = ['hpet', 'ioapic', 'wired', 'pic'] as const;
export type Kind = (typeof KINDS)[number];

/** A step of a trace, or a reset of the system, which traces do not have. */
export type ProgramStep = Step | { readonly op: 'reset' };

/** A step, so many times in a row. */
export interface Action {
  readonly step: ProgramStep;
  readonly times: number;
}

/** A machine that programs run on. */
export interface ProgramMachine extends ReplayMachine {
  /** Resets the system; called when no step is in flight. */
  reset(): Promise<Outcome>;
}

export interface ProgramTarget extends ReplayTarget {
  open(setup: Setup, options: ReplayOptions): Promise<ProgramMachine>;
}

export function performStep(machine: ProgramMachine, step: ProgramStep): Promise<Outcome> {
  return step.op === 'reset' ? machine.reset() : machine.perform(step);
}

/** Whether a trace can record the program. */
export function isRecordable({ actions }: Program): boolean {
  return actions.every(({ step }) => step.op !== 'reset');
}

/** What a machine of QEMU and one of this process both run. */
export interface Program {
  readonly name: string;
  readonly setup: Setup;
  readonly actions: readonly Action[];
}

/** FSB addresses of programs have this bit, which no message of the IOAPIC has. */
export const FSB_MARK = 1 << 4;

/** Whether both machines show an output: QEMU shows FSB writes to the window of the local APICs only. */
export function isVisible(setup: Setup, output: Output): boolean {
  if (!isToldIn(setup.kind, output.out)) return false;
  return output.out !== 'msi' || (output.addr >= 0xfee0_1000 && output.addr < 0xfef0_0000 && isMarked(output.addr));
}

export function isMarked(address: number): boolean {
  return (address & FSB_MARK) !== 0;
}
