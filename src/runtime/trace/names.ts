import { sourceName } from '../../core/devices/gsi/sources.js';
import {
  CAUSE_DELAYED,
  CAUSE_ENTRY_WRITE,
  CAUSE_EOI,
  EVENT_APIC,
  EVENT_INTR,
  EVENT_LINE,
  EVENT_MSI,
} from '../../core/machine/events.js';
import { STORM_TIMER } from '../../core/machine/timer-list.js';
import { LOCK_NAMES } from '../../core/sync/lock-names.js';

const EVENT_NAMES: { readonly [kind: number]: string } = {
  [EVENT_LINE]: 'line',
  [EVENT_APIC]: 'apic',
  [EVENT_MSI]: 'msi',
  [EVENT_INTR]: 'intr',
};

const CAUSE_NAMES: { readonly [cause: number]: string } = {
  [CAUSE_ENTRY_WRITE]: 'write',
  [CAUSE_EOI]: 'eoi',
  [CAUSE_DELAYED]: 'delayed',
};

/** The name of a kind of interrupt event. */
export function eventName(kind: number): string {
  return EVENT_NAMES[kind] ?? `event ${kind}`;
}

/** A timer of the HPET by its number; the IOAPIC has one that holds back storms. */
export function timerName(timer: number): number | string {
  return timer === STORM_TIMER ? 'ioapic-storm' : timer;
}

/** The locks of a mask, bit n for lock n. */
export function lockNames(mask: number): string[] {
  return LOCK_NAMES.filter((_, lock) => mask & (1 << lock));
}

/** What a record says of an interrupt event: see `INTERRUPT` in `kinds.ts`. */
export function interruptDetail(event: number): { name: string; args: { [name: string]: unknown } } {
  const kind = event & 0xff;
  const causeNumber = (event >> 8) & 0xff;
  const where = (event >> 16) & 0xff;
  const detail = event >>> 24;
  const cause = CAUSE_NAMES[causeNumber] ?? sourceName(causeNumber);
  const name = eventName(kind);
  switch (kind) {
    case EVENT_LINE:
      return { name, args: { gsi: where, level: detail, cause } };
    case EVENT_APIC:
      return { name, args: { pin: where, vector: detail, cause } };
    case EVENT_MSI:
      return { name, args: { timer: where, vector: detail, cause } };
    default:
      return { name, args: { level: detail, cause } };
  }
}
