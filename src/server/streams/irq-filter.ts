import type { EventJson } from '../../protocol/json/event-json.js';
import type { IrqKind } from '../../protocol/names.js';
import { decodeMsi } from '../service/apic.js';

/** An event as far as it is chosen by. */
export interface FilteredEvent {
  readonly kind: IrqKind;
  readonly message: { readonly vector: number } | undefined;
  readonly wire: { readonly event: { readonly kind: IrqKind; readonly gsi?: number; readonly pin?: number } };
}

/** An event in the text form, as far as it is chosen by. */
export function filteredEvent(event: EventJson): FilteredEvent {
  const { kind, vector, address, data } = event;
  const message = kind === 'msi' ? decodeMsi(Number(address), Number(data)) : undefined;
  return { kind, message: vector === undefined ? message : { vector }, wire: { event } };
}

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

  passes(event: FilteredEvent): boolean {
    const { kinds, gsis, vectors } = this.options;
    if (kinds && !kinds.has(event.kind)) return false;
    if (gsis && !has(gsis, gsiOf(event))) return false;
    return !vectors || has(vectors, event.message?.vector);
  }
}

function has(wanted: ReadonlySet<number>, value: number | undefined): boolean {
  return value !== undefined && wanted.has(value);
}

function gsiOf({ wire: { event } }: FilteredEvent): number | undefined {
  if (event.kind === 'line') return event.gsi;
  return event.kind === 'apic' ? event.pin : undefined;
}
