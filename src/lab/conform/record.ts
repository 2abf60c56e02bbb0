import { HPET_BASE, IOAPIC_BASE } from '../../core/devices/guest-map.js';
import { CAPABILITIES_LOW, TICK_FS } from '../../core/devices/hpet/registers.js';
import { PIN_COUNT } from '../../core/devices/ioapic/registers.js';
import { hexadecimal } from '../replay/render.js';
import type { ReplayTarget, StepOutcome } from '../replay/target.js';
import type { Output, Step } from '../replay/trace.js';
import { isControl, type Program } from './program.js';

const hex = (value: number | bigint, size: number) => hexadecimal(BigInt(value), size);

/** Runs a program, which `isRecordable`, on a QEMU; returns what it did as the lines of a golden trace. */
export async function record(program: Program, qemu: ReplayTarget, version: () => string): Promise<string[]> {
  const machine = await qemu.open(program.setup, { profile: 'qemu-11.1', locking: 'bql' });
  try {
    const rows: object[] = [];
    let steps = 0;
    for (const { step, times } of program.actions) {
      if (isControl(step)) throw new RangeError(`${program.name}: no trace records ${step.op}`);
      for (let round = 0; round < times; round++, steps++) {
        const outcome = await machine.perform(step);
        rows.push(rowOf(step, outcome, program.setup.kind === 'pic'), ...outcome.outputs.map(outputRow));
      }
    }
    return [headerOf(program, steps, version()), ...rows].map((row) => JSON.stringify(row));
  } finally {
    await machine.close();
  }
}

function headerOf({ name, setup }: Program, steps: number, version: string): object {
  const { kind, hpet, ioapicVersion } = setup;
  const source = { recorded_from: `QEMU ${version} (qtest accelerator)`, steps };
  if (kind === 'pic') return { format: 'pic-trace/1', name, ...source };
  const capabilities = (BigInt(TICK_FS) << 32n) | (BigInt(CAPABILITIES_LOW | ((hpet.timers - 1) << 8)) % 2n ** 32n);
  const { timers, msi } = hpet;
  return {
    format: 'hpet-ioapic-trace/1',
    name,
    kind,
    machine: 'q35, hpet=on, pit=off',
    ...(kind !== 'ioapic' && {
      hpet: {
        ...{ base: hex(HPET_BASE, 8), timers, msi, intcap: hex(hpet.routingCapability, 4) },
        capabilities: hex(BigInt.asUintN(64, capabilities), 8),
      },
    }),
    ...(kind !== 'hpet' && {
      ioapic: { base: hex(IOAPIC_BASE, 8), version: hex(ioapicVersion, 1), pins: PIN_COUNT },
    }),
    ...source,
    quirks: [],
  };
}

function rowOf(step: Step, { value = 0n }: StepOutcome, isPic: boolean): object {
  switch (step.op) {
    case 'read':
      return { op: 'read', addr: hex(step.address, 8), size: step.size, value: hex(value, step.size) };
    case 'write':
      return { op: 'write', addr: hex(step.address, 8), size: step.size, value: hex(step.value, step.size) };
    case 'set_irq':
      return isPic ? { op: 'irq', irq: step.pin, level: step.level } : step;
    case 'in':
      return { op: 'in', port: `0x${step.port.toString(16)}`, value: hex(value & 0xffn, 1) };
    case 'out':
      return { op: 'out', port: `0x${step.port.toString(16)}`, value: hex(step.value, 1) };
    case 'inta':
      return { op: 'inta', vector: Number(value) };
    default:
      return step;
  }
}

function outputRow(output: Output): object {
  return output.out === 'msi' ? { out: 'msi', addr: hex(output.addr, 4), data: hex(output.data, 4) } : output;
}
