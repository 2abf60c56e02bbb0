import type { Difference } from './comparison.js';
import type { Action, Program } from './program.js';

export interface Shrunk {
  readonly program: Program;
  readonly difference: Difference;
}

/** Removes steps and shortens repeats as long as the two machines still differ. `run` says how they do. */
export async function shrink(
  found: Shrunk,
  run: (program: Program) => Promise<Difference | undefined>,
): Promise<Shrunk> {
  let best = upToDifference(found);
  const attempt = async (actions: readonly Action[]): Promise<boolean> => {
    const program = { ...best.program, actions };
    const difference = await run(program);
    if (difference) best = upToDifference({ program, difference });
    return difference !== undefined;
  };
  let before: Program;
  do {
    before = best.program;
    for (let size = before.actions.length; size >= 1; size = size >> 1) {
      for (let end = best.program.actions.length; end > 0; ) {
        const { actions } = best.program;
        end = Math.min(end, actions.length);
        const begin = Math.max(0, end - size);
        const rest = [...actions.slice(0, begin), ...actions.slice(end)];
        if (rest.length > 0) await attempt(rest);
        end = begin;
      }
    }
    for (let index = 0; index < best.program.actions.length; index++) await shorten(index);
  } while (best.program !== before);
  return best;

  async function shorten(index: number): Promise<void> {
    let least = 1;
    while (index < best.program.actions.length && least < best.program.actions[index].times) {
      const { actions } = best.program;
      const { step, times } = actions[index];
      const middle = (least + times) >> 1;
      if (!(await attempt(actions.map((action, n) => (n === index ? { step, times: middle } : action))))) {
        least = middle + 1;
      }
    }
  }
}

/** What comes after the difference has no part in it. */
function upToDifference({ program, difference }: Shrunk): Shrunk {
  const actions = program.actions.slice(0, difference.action + 1);
  const last = actions[difference.action];
  actions[difference.action] = { step: last.step, times: difference.round + 1 };
  return { program: { ...program, actions }, difference };
}
