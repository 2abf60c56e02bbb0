import {
  ENABLE,
  GENERAL_CONFIGURATION,
  IOAPIC,
  MAIN_COUNTER,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
} from './guest.js';

/**
 * A guest of 32-bit code, assembled here: it routes a periodic HPET timer through the IOAPIC to itself, and halts. Its handler
 * counts the interrupt, reads the main counter, and ends the interrupt at the local APIC.
 */

/** Where the image is loaded, by its multiboot header, and where it counts. */
const BASE = 0x100000;
export const TICKS_AT = 0x103000;
export const COUNTER_AT = 0x103004;
const STACK = 0x110000;
const GDT = 0x40;
const GDT_ENTRIES = 3;
const GDTR = 0x60;
const IDTR = 0x68;
const ENTRY = 0x100;
const HANDLER = 0x300;
const IDT = 0x1000;
const IMAGE_BYTES = 0x2000;

export const VECTOR = 0x41;
const PIN = 20;
/** Of the main counter, 10 ns each with the default period. */
export const PERIOD = 100_000;

/** Of a timer: this guest writes the low half of the comparator only. */
const MODE_32 = 1 << 8;
const APIC_EOI = 0xfee000b0;
const APIC_SPURIOUS = 0xfee000f0;

const word = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/** mov dword [address], value */
const store = (address: number, value: number) => [0xc7, 0x05, ...word(address), ...word(value)];

function entryCode(): number[] {
  const after = BASE + ENTRY + 1 + 7 + 7;
  return [
    0xfa, // cli
    ...[0x0f, 0x01, 0x15, ...word(BASE + GDTR)], // lgdt
    ...[0xea, ...word(after), 0x08, 0x00], // jmp 8:after
    ...[0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0], // ds, es, ss = 16
    ...[0xbc, ...word(STACK)], // mov esp
    ...[0x0f, 0x01, 0x1d, ...word(BASE + IDTR)], // lidt
    ...[0xb0, 0xff, 0xe6, 0x21, 0xe6, 0xa1], // masks the 8259 pair of the emulator
    ...store(APIC_SPURIOUS, 0x1ff),
    ...store(IOAPIC, 0x11 + 2 * PIN),
    ...store(IOAPIC + 0x10, 0),
    ...store(IOAPIC, 0x10 + 2 * PIN),
    ...store(IOAPIC + 0x10, VECTOR),
    ...store(timerConfiguration(0), ENABLE | PERIODIC | VALUE_SET | MODE_32 | route(PIN)),
    ...store(timerComparator(0), PERIOD),
    ...store(timerComparator(0), PERIOD),
    ...store(GENERAL_CONFIGURATION, 1),
    0xfb, // sti
    ...[0xf4, 0xeb, 0xfd], // hlt, again and again
  ];
}

const HANDLER_CODE = [
  0x50, // push eax
  ...[0xa1, ...word(MAIN_COUNTER)], // mov eax, [counter]
  ...[0xa3, ...word(COUNTER_AT)],
  ...[0xff, 0x05, ...word(TICKS_AT)], // inc dword [ticks]
  ...store(APIC_EOI, 0),
  0x58, // pop eax
  0xcf, // iret
];

/** The image, with a multiboot header (version 1) that says where it goes. */
export function guestImage(): Uint8Array {
  const image = new Uint8Array(IMAGE_BYTES);
  const flags = 0x10000;
  const header = [0x1badb002, flags, -(0x1badb002 + flags), BASE, BASE, BASE + IMAGE_BYTES, STACK, BASE + ENTRY];
  image.set(header.flatMap(word), 0);
  // Flat segments: none, code, data.
  image.set([0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0], GDT + 8);
  image.set([0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0], GDT + 16);
  image.set([GDT_ENTRIES * 8 - 1, 0, ...word(BASE + GDT)], GDTR);
  image.set([0xff, 0x07, ...word(BASE + IDT)], IDTR);
  const [low, second, third, high] = word(BASE + HANDLER);
  image.set([low, second, 0x08, 0x00, 0x00, 0x8e, third, high], IDT + 8 * VECTOR);
  image.set(entryCode(), ENTRY);
  image.set(HANDLER_CODE, HANDLER);
  return image;
}
