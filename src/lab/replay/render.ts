import type { Output, Step } from './trace.js';

/** Steps and outputs in words, for people who look for a difference. */

export function describeStep(step: Step): string {
  switch (step.op) {
    case 'read':
      return `read ${step.size} bytes at 0x${step.address.toString(16)}`;
    case 'write':
      return `write ${hexadecimal(step.value, step.size)} to 0x${step.address.toString(16)}`;
    case 'clock_step':
      return `clock_step ${step.ns} ns`;
    case 'set_irq':
      return `set_irq pin ${step.pin} level ${step.level}`;
    case 'eoi':
      return `eoi vector ${step.vector}`;
    case 'in':
      return `in from port 0x${step.port.toString(16)}`;
    case 'out':
      return `out ${hexadecimal(step.value, 1)} to port 0x${step.port.toString(16)}`;
    case 'inta':
      return 'acknowledge cycle';
  }
}

export function renderOutputs(outputs: readonly Output[]): string {
  return outputs.map(renderOutput).join(', ') || 'no output';
}

function renderOutput(output: Output): string {
  switch (output.out) {
    case 'irq':
      return `line ${output.line} = ${output.level}`;
    case 'apic': {
      const { dest, dest_mode, delivery_mode, vector, trigger_mode } = output;
      return `apic(dest ${dest}, dest_mode ${dest_mode}, delivery_mode ${delivery_mode}, vector ${vector}, trigger_mode ${trigger_mode})`;
    }
    case 'intr':
      return `intr = ${output.level}`;
    case 'msi':
      return `msi(addr ${hexadecimal(BigInt(output.addr), 4)}, data ${hexadecimal(BigInt(output.data), 4)})`;
  }
}

/** A value of `size` bytes, with all its digits. */
export function hexadecimal(value: bigint, size: number): string {
  return `0x${value.toString(16).padStart(2 * size, '0')}`;
}
