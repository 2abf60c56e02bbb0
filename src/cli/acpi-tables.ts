/** Description headers of ACPI 6.5, 5.2.6: signature to creator revision. */
const HEADER_BYTES = 36;
const CHECKSUM = 9;

export const HPET_ADDRESS = 0xfed00000;
export const IOAPIC_ADDRESS = 0xfec00000;
const LOCAL_APIC_ADDRESS = 0xfee00000;

/** IA-PC HPET 1.0a, 3.2.4: the low half of the capabilities, here with legacy routing and a counter of 64 bits. */
const EVENT_TIMER_BLOCK = 0x8086a001;
/** Least ticks between periodic interrupts that software should ask for: 1 µs at 10 ns a tick. */
const MINIMUM_TICK = 100;

/** ACPI 6.5, 5.2.12: types of entries, and flags. */
const LOCAL_APIC = 0;
const IOAPIC = 1;
const SOURCE_OVERRIDE = 2;
const PC_AT_COMPATIBLE = 1;
const ENABLED = 1;

export interface AcpiOptions {
  /** Their APIC ids are their numbers. */
  readonly vcpus: number;
  readonly timers: number;
  readonly ioapicId: number;
  /** Whether there is an 8259 pair. */
  readonly pic: boolean;
}

/** The tables by which a guest finds the devices of a machine, by signature. */
export function acpiTables({ vcpus, timers, ioapicId, pic }: AcpiOptions): { readonly [signature: string]: Buffer } {
  return { HPET: table('HPET', 1, hpet(timers)), APIC: table('APIC', 3, madt(vcpus, ioapicId, pic)) };
}

/** IA-PC HPET 1.0a, 3.2.4. */
function hpet(timers: number): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt32LE((EVENT_TIMER_BLOCK | ((timers - 1) << 8)) >>> 0, 0);
  // A generic address in system memory, 64 bits wide.
  body[5] = 64;
  body.writeBigUInt64LE(BigInt(HPET_ADDRESS), 8);
  body.writeUInt16LE(MINIMUM_TICK, 17);
  return body;
}

function madt(vcpus: number, ioapicId: number, pic: boolean): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(LOCAL_APIC_ADDRESS, 0);
  head.writeUInt32LE(pic ? PC_AT_COMPATIBLE : 0, 4);
  const processors = Array.from({ length: vcpus }, (_, id) => Buffer.from([LOCAL_APIC, 8, id, id, ENABLED, 0, 0, 0]));
  const ioapic = Buffer.alloc(12);
  ioapic.set([IOAPIC, 12, ioapicId]);
  ioapic.writeUInt32LE(IOAPIC_ADDRESS, 4);
  // The PIT's IRQ 0, or timer 0 of the HPET in its place, is at pin 2, as on every PC.
  const override = Buffer.from([SOURCE_OVERRIDE, 10, 0, 0, 2, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...processors, ioapic, override]);
}

function table(signature: string, revision: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(signature, 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES + body.length, 4);
  header[8] = revision;
  header.write('SOUTHB', 10, 'latin1');
  header.write('SBRIDGE ', 16, 'latin1');
  header.writeUInt32LE(1, 24);
  header.write('SBRG', 28, 'latin1');
  header.writeUInt32LE(1, 32);
  const whole = Buffer.concat([header, body]);
  whole[CHECKSUM] = 0x100 - (whole.reduce((sum, byte) => sum + byte, 0) & 0xff);
  return whole;
}
