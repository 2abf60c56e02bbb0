import { EXTERNAL_BIT, HPET_BITS, INPUT_LEVEL, LINES } from '../../core/devices/gsi/router.js';
import * as H from '../../core/devices/hpet/registers.js';
import { AHEAD_FLAG, EXPIRED_FLAG, WRAP_FLAG } from '../../core/devices/hpet/state.js';
import * as P from '../../core/devices/i8259/state.js';
import * as A from '../../core/devices/ioapic/registers.js';
import { WRITING } from '../../core/sync/sequence-lock.js';

/** What is wrong with the value (32 bits, unsigned) of a word, as the end of a sentence; undefined if nothing is. */
type Check = (value: number, timers: number) => string | undefined;

const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;

const atMost =
  (most: number): Check =>
  (value) =>
    value > most ? `${value}, and ${most} is the most it can be` : undefined;

/** Only these bits exist. */
const bits =
  (mask: number): Check =>
  (value) =>
    value & ~mask ? `${hex(value)}, and ${hex(mask)} are all the bits it has` : undefined;

const TIMER_BITS = H.TIMER_CONFIGURATION_WRITABLE | H.PER_INT_CAP | H.SIZE_CAP | H.FSB_INT_DEL_CAP;

/** The sequence word of the main counter: bits 7:3 are the digit of its offset above 2^64 ns × 10. */
const counter: Check = (value) => {
  // Readers would wait for a writer that is not there.
  if (value & WRITING) return `${hex(value)}: it was taken while it was written`;
  const top = (value >>> 3) & 0x1f;
  return top >= H.TICK_NS
    ? `${hex(value)}: bits 7:3 are ${top}, and ${H.TICK_NS - 1} is the most they can be`
    : undefined;
};

const entry: Check = (value) => {
  if (value & A.DELIVERY_STATUS) return `${hex(value)}: its delivery status is never pending`;
  const isStray = value & A.REMOTE_IRR && !(value & A.TRIGGER_LEVEL);
  return isStray ? `${hex(value)}: an edge-triggered entry has no remote IRR` : undefined;
};

/** Words that cannot hold every value of 32 bits. All others can: comparators, accumulators, times, FSB routes. */
const CHECKS: readonly (readonly [name: RegExp, check: Check])[] = [
  [/^hpet\.counter\[0\]$/, counter],
  [/^hpet\.configuration$/, bits(H.GENERAL_CONFIGURATION_WRITABLE)],
  [/^hpet\.status$/, (value, timers) => bits((1 << timers) - 1)(value, timers)],
  [/^hpet\.(pit|rtc)Level$/, atMost(1)],
  [/^hpet\.timer\[\d+\]\.configuration$/, bits(TIMER_BITS)],
  [/^hpet\.timer\[\d+\]\.flags$/, bits(WRAP_FLAG | EXPIRED_FLAG | AHEAD_FLAG)],
  [/^hpet\.timer\[\d+\]\.heldLine$/, atMost(LINES)],
  [/\.unused$/, atMost(0)],
  [/^router\.sources\[\d+\]$/, bits(HPET_BITS | EXTERNAL_BIT | INPUT_LEVEL)],
  [/^router\.pitGate$/, atMost(1)],
  [/^ioapic\.select$/, atMost(0xff)],
  [/^ioapic\.id$/, atMost(A.ID_MASK)],
  [/^ioapic\.(requests|inputs)$/, bits((1 << A.PIN_COUNT) - 1)],
  [/^ioapic\.entry\.low\[\d+\]$/, entry],
  [/^pic\.intr$/, atMost(1)],
  [/^pic\.chip\[\d\]\.lowest$/, atMost(7)],
  [/^pic\.chip\[\d\]\.phase$/, atMost(P.READY)],
  [/^pic\.chip\[\d\]\.flags$/, bits(P.READ_ISR | P.POLL | P.SPECIAL_MASK | P.ROTATE_ON_AEOI)],
  [/^pic\.chip\[\d\]\.(imr|isr|inputs|edges|elcr|icw\d)$/, atMost(0xff)],
  [/^xen\.(external|callback)$/, atMost(1)],
  // 30-bit numbers of decisions, of the newest with its level.
  [/^deferred\.decided\[\d+\]$/, atMost(0x7fff_ffff)],
  [/^deferred\.applied\[\d+\]$/, atMost(0x3fff_ffff)],
  [/^deferred\.levels\[\d+\]$/, bits(HPET_BITS)],
];

/** The checks by word, as far as they were looked up: a checkpoint has hundreds of words. */
const checks = new Map<string, Check | undefined>();

function checkOf(name: string): Check | undefined {
  if (!checks.has(name)) checks.set(name, CHECKS.find(([pattern]) => pattern.test(name))?.[1]);
  return checks.get(name);
}

/**
 * What is wrong with a word of a snapshot for a machine with so many timers; undefined if its field can hold it. `name`
 * is the name of a saved word.
 */
export function faultOfWord(name: string, value: number, timers: number): string | undefined {
  const fault = checkOf(name)?.(value, timers);
  return fault && `the word ${name} is ${fault}`;
}
