import type { IrqKind } from '../../protocol/names.js';
import type { IrqEvent } from '../service/irq-event.js';

/** What a subscriber asks for; a set that is missing lets everything pass. */
export interface IrqFilterOptions {
  readonly kinds?: ReadonlySet<IrqKind>;
  /** Of lines, and of the IOAPIC's pins, which have the same numbers. */
  readonly gsis?: ReadonlySet<number>;
  /** Of messages to the local APICs. */
  readonly vectors?: ReadonlySet<number>;
}

/**
 * Chooses events of an IRQ stream. One passes if it meets every criterion; one that has no GSI or no vector does not
 * meet a criterion about it. Events keep their numbers, so that a filtered stream has holes that are no loss.
 */
export class IrqFilter {
  constructor(readonly options: IrqFilterOptions = {}) {}

  passes(event: IrqEvent): boolean {
    const { kinds, gsis, vectors } = this.options;
    if (kinds && !kinds.has(event.kind)) return false;
    if (gsis && !has(gsis, gsiOf(event))) return false;
    return !vectors || has(vectors, event.message?.vector);
  }
}

function has(wanted: ReadonlySet<number>, value: number | undefined): boolean {
  return value !== undefined && wanted.has(value);
}

function gsiOf({ wire: { event } }: IrqEvent): number | undefined {
  if (event.kind === 'line') return event.gsi;
  return event.kind === 'apic' ? event.pin : undefined;
}
