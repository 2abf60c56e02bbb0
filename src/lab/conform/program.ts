import type { ReplayMachine, ReplayOptions, ReplayTarget, Setup, StepOutcome } from '../replay/target.js';
import { isOutputOf, type Output, type Step } from '../replay/trace.js';

export const KINDS = ['hpet', 'ioapic', 'wired', 'pic'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * A reset of the system, or the RTC drives its input of the HPET. Traces have no such steps. The PIT's input is none of
 * them: QEMU's HPET does not keep its level, but asks the PIT.
 */
export type ControlStep = { readonly op: 'reset' } | { readonly op: 'rtc'; readonly level: number };

export type ProgramStep = Step | ControlStep;

/** A step, so many times in a row. */
export interface Action {
  readonly step: ProgramStep;
  readonly times: number;
}

/** A machine that programs run on. */
export interface ProgramMachine extends ReplayMachine {
  /** Called when no step is in flight. */
  control(step: ControlStep): Promise<StepOutcome>;
}

export interface ProgramTarget extends ReplayTarget {
  open(setup: Setup, options: ReplayOptions): Promise<ProgramMachine>;
}

export function isControl(step: ProgramStep): step is ControlStep {
  return step.op === 'reset' || step.op === 'rtc';
}

export function performStep(machine: ProgramMachine, step: ProgramStep): Promise<StepOutcome> {
  return isControl(step) ? machine.control(step) : machine.perform(step);
}

/** Whether a trace can record the program. */
export function isRecordable({ actions }: Program): boolean {
  return !actions.some(({ step }) => isControl(step));
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
  if (!isOutputOf(setup.kind, output.out)) return false;
  return output.out !== 'msi' || (output.addr >= 0xfee0_1000 && output.addr < 0xfef0_0000 && isMarked(output.addr));
}

export function isMarked(address: number): boolean {
  return (address & FSB_MARK) !== 0;
}
