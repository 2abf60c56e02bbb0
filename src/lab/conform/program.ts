import type { Setup } from '../replay/target.js';
import { isToldIn, type Output, type Step } from '../replay/trace.js';

export const KINDS = ['hpet', 'ioapic', 'wired', 'pic'] as const;
export type Kind = (typeof KINDS)[number];

/** A step, so many times in a row. */
export interface Action {
  readonly step: Step;
  readonly times: number;
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
