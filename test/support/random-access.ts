import { SOURCE_PIT, SOURCE_RTC } from '../../src/core/devices/gsi/sources.js';
import { HPET_BASE, HPET_SIZE, IOAPIC_BASE, IOAPIC_SIZE } from '../../src/core/devices/guest-map.js';
import { U64 } from '../../src/core/memory/u64.js';
import type { BenchMachine } from './bench-machine.js';
import type { Random } from './random.js';

/** Something that a client can do to a machine. */
export type Operation =
  | { readonly op: 'read'; readonly address: number; readonly size: number }
  | { readonly op: 'write'; readonly address: number; readonly size: number; readonly value: bigint }
  | { readonly op: 'in'; readonly port: number }
  | { readonly op: 'out'; readonly port: number; readonly value: number }
  | { readonly op: 'inta' }
  | { readonly op: 'line'; readonly gsi: number; readonly level: number }
  | { readonly op: 'eoi'; readonly vector: number }
  | { readonly op: 'input'; readonly source: number; readonly level: number }
  | { readonly op: 'advance'; readonly ns: number }
  | { readonly op: 'reset' };

const SIZES = [1, 2, 4, 8];
/** The pair's commands, data, and trigger registers, and a port that nobody has. */
const PORTS = [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x60];
/** General configuration, status, counter; and of each timer configuration, comparator and FSB route. */
const GENERAL = [0x00, 0x10, 0x20, 0xf0];
const TIMER = [0x00, 0x08, 0x10];
/** Few, so that pins share them and an EOI meets some. */
const VECTORS = [0x30, 0x31, 0x40, 0xff];

/** Any operation; most are such that a driver could make, so that something happens. */
export function randomOperation(random: Random): Operation {
  const kind = random.below(100);
  if (kind < 24) return { op: 'read', ...place(random) };
  if (kind < 70) return write(random);
  if (kind < 84) return { op: 'advance', ns: elapsed(random) };
  if (kind < 90) return { op: 'line', gsi: random.below(24), level: random.below(2) };
  if (kind < 94) return { op: 'eoi', vector: VECTORS[random.below(VECTORS.length)] };
  if (kind < 95) return { op: 'in', port: PORTS[random.below(PORTS.length)] };
  if (kind < 98) return { op: 'out', port: PORTS[random.below(PORTS.length)], value: random.below(256) };
  if (kind === 98) return { op: 'inta' };
  if (random.below(8) > 0) {
    return { op: 'input', source: random.below(2) ? SOURCE_PIT : SOURCE_RTC, level: random.below(2) };
  }
  return random.below(4) > 0 ? { op: 'advance', ns: 0 } : { op: 'reset' };
}

/** A register as it is meant to be accessed, or any address in or close to a device, with any size. */
function place(random: Random): { address: number; size: number } {
  const choice = random.below(20);
  if (choice < 4) return { address: HPET_BASE + GENERAL[random.below(4)], size: random.below(2) ? 8 : 4 };
  if (choice < 11) {
    const block = 0x100 + 0x20 * random.below(4);
    const size = random.below(3) ? 8 : 4;
    return { address: HPET_BASE + block + TIMER[random.below(3)] + (size === 4 ? 4 * random.below(2) : 0), size };
  }
  if (choice < 16) return { address: IOAPIC_BASE + (random.below(8) ? 0x10 * random.below(2) : 0x40), size: 4 };
  const size = SIZES[random.below(4)];
  const [base, room] = random.below(2) ? [HPET_BASE, HPET_SIZE] : [IOAPIC_BASE, IOAPIC_SIZE];
  return { address: base - 8 + random.below(room + 16), size };
}

function write(random: Random): Operation {
  const { address, size } = place(random);
  return { op: 'write', address, size, value: BigInt.asUintN(8 * size, value(random, address)) };
}

/** What means something at the address, or any number. */
function value(random: Random, address: number): bigint {
  if (random.below(12) === 0) return (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  if (address === IOAPIC_BASE) return BigInt(random.below(0x44));
  if (address === IOAPIC_BASE + 0x10) return BigInt(redirection(random));
  if (address === IOAPIC_BASE + 0x40) return BigInt(VECTORS[random.below(VECTORS.length)]);
  const offset = address - HPET_BASE;
  if (offset === 0x10) return BigInt(random.below(8) ? 1 : random.below(4));
  if (offset === 0x20) return BigInt(random.below(16));
  if (offset >= 0x100 && (offset & 0x1f) === 0) return BigInt(random.below(0x8000));
  return BigInt(random.below(random.below(2) ? 1_000 : 100_000));
}

/** Half of a redirection entry: mostly not masked, fixed delivery or ExtINT, both triggers. */
function redirection(random: Random): number {
  const mode = random.below(8) === 0 ? 7 : 0;
  const masked = random.below(4) === 0 ? 1 : 0;
  return VECTORS[random.below(VECTORS.length)] | (mode << 8) | (random.below(2) << 15) | (masked << 16);
}

/** ns: a tick, some, a millisecond at most: a manual clock stops at each deadline, and periods may be of a microsecond. */
function elapsed(random: Random): number {
  return [10, 1_000, 20_000, 300_000][random.below(random.below(4) ? 3 : 4)] * (1 + random.below(3));
}

const scratch = new U64();

function settled(bench: BenchMachine, result: number | boolean | undefined): string {
  bench.due.settle();
  return String(result);
}

/** Carries an operation out; what it came to, as a client would see it. */
export function perform(bench: BenchMachine, operation: Operation): string {
  switch (operation.op) {
    case 'read':
      return bench.machine.read(operation.address, operation.size)
        ? `0x${bench.machine.value.toBigInt().toString(16)}`
        : 'unassigned';
    case 'write': {
      const { address, size, value } = operation;
      return settled(bench, bench.machine.write(address, size, scratch.setBigInt(value)));
    }
    case 'in':
      return settled(bench, bench.machine.portRead(operation.port));
    case 'out':
      return settled(bench, bench.machine.portWrite(operation.port, operation.value));
    case 'inta':
      return String(bench.acknowledgeInterrupt());
    case 'line':
      bench.setLine(operation.gsi, operation.level);
      return '';
    case 'eoi':
      bench.endOfInterrupt(operation.vector);
      return '';
    case 'input':
      bench.setLegacyInput(operation.source, operation.level);
      return '';
    case 'advance':
      return bench.tryAdvance(operation.ns) ? '' : 'refused';
    case 'reset':
      bench.reset();
      return '';
  }
}
