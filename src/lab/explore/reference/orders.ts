import type { MachineModel } from './machine.js';
import { type ReferenceProgram, Run } from './run.js';

/** More orders than any program of a few operations has. */
const MOST_STEPS = 2_000_000;

/** The program cannot end, or has too many orders. Always an error of the reference or of a program, never a finding. */
export class NoReference extends Error {
  override name = 'NoReference';
}

/**
 * Runs a program in every order of its atomic steps that keeps the order of each thread and the precedence. Calls `end` with
 * each end.
 */
export function forEachOrder(program: ReferenceProgram, machine: MachineModel, end: (run: Run) => void): void {
  let steps = 0;
  const visit = (run: Run): void => {
    const enabled = run.enabled();
    if (enabled.length === 0) {
      if (!run.isFinished) throw new NoReference('an operation does not return in the reference');
      end(run);
    }
    for (const [i, actor] of enabled.entries()) {
      if (++steps > MOST_STEPS) throw new NoReference(`more than ${MOST_STEPS} steps of the reference`);
      const next = i === enabled.length - 1 ? run : run.clone();
      next.step(actor);
      visit(next);
    }
  };
  visit(new Run(program, machine.clone()));
}
