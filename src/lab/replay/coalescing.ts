import { HPET_BASE } from '../../core/devices/guest-map.js';
import { GENERAL_CONFIGURATION } from '../../core/devices/hpet/registers.js';
import { renderOutputs } from './render.js';
import type { Output, Step } from './trace.js';

/** The one register whose write changes the lines of several timers: it turns all of them on and off. */
const ADDRESS = HPET_BASE + GENERAL_CONFIGURATION;

/**
 * Whether outputs are the expected ones of a golden trace, less what a design leaves out that reads a line's level
 * again when it applies a change: changes of one line that cancel each other, in pairs, within one write of the general
 * configuration register, and the edge-triggered messages which their raises caused. All else is there, in the order of
 * the trace, and every line ends at the level at which it should. The message of a level-triggered pin is never left
 * out: it would be missed in the pin's remote IRR.
 */
export function isCoalesced(step: Step, expected: readonly Output[], got: readonly Output[]): boolean {
  if (step.op !== 'write' || step.address < ADDRESS || step.address >= ADDRESS + 8) return false;
  const missing = leftOut(expected, got);
  return missing?.every(mayBeLeftOut) === true && endAlike(expected, got, missing);
}

/** What is in `expected` and not in `got`, if `got` is the rest in the same order. */
function leftOut(expected: readonly Output[], got: readonly Output[]): Output[] | undefined {
  const missing: Output[] = [];
  let found = 0;
  for (const output of expected) {
    if (found < got.length && isSame(output, got[found])) found++;
    else missing.push(output);
  }
  return found === got.length ? missing : undefined;
}

function mayBeLeftOut(output: Output): boolean {
  return output.out === 'irq' || (output.out === 'apic' && output.trigger_mode === 0);
}

/** Whether each line lacks an even number of changes, and ends as it should; its changes alternate. */
function endAlike(expected: readonly Output[], got: readonly Output[], missing: readonly Output[]): boolean {
  const lines = new Set(missing.flatMap((output) => (output.out === 'irq' ? [output.line] : [])));
  return [...lines].every((line) => {
    const left = levelsOf(line, got);
    return (
      levelsOf(line, missing).length % 2 === 0 && (left.length === 0 || left.at(-1) === levelsOf(line, expected).at(-1))
    );
  });
}

function levelsOf(line: number, outputs: readonly Output[]): number[] {
  return outputs.flatMap((output) => (output.out === 'irq' && output.line === line ? [output.level] : []));
}

function isSame(a: Output, b: Output): boolean {
  return renderOutputs([a]) === renderOutputs([b]);
}
