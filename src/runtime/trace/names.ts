import { causeName, EVENT_APIC, EVENT_LINE, EVENT_MSI, eventName, unpackSummary } from '../../core/machine/events.js';
import { STORM_TIMER } from '../../core/machine/timer-list.js';
import { LOCK_NAMES } from '../../core/sync/lock-names.js';

/** A timer of the HPET by its number; the IOAPIC has one that holds back storms. */
export function timerName(timer: number): number | string {
  return timer === STORM_TIMER ? 'ioapic-storm' : timer;
}

/** The locks of a mask, bit n for lock n. */
export function lockNames(mask: number): string[] {
  return LOCK_NAMES.filter((_, lock) => mask & (1 << lock));
}

/** Name and arguments of an interrupt event, from its summary. */
export function interruptDetail(summary: number): { name: string; args: { [name: string]: unknown } } {
  const { kind, place, detail, ...event } = unpackSummary(summary);
  const cause = causeName(event.cause);
  const name = eventName(kind);
  switch (kind) {
    case EVENT_LINE:
      return { name, args: { gsi: place, level: detail, cause } };
    case EVENT_APIC:
      return { name, args: { pin: place, vector: detail, cause } };
    case EVENT_MSI:
      return { name, args: { timer: place, vector: detail, cause } };
    default:
      return { name, args: { level: detail, cause } };
  }
}
