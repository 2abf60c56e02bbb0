import { sourceName } from '../devices/gsi/sources.js';
import type { IoapicMessage } from '../devices/ioapic/ioapic.js';
import type { EventWords } from '../memory/event-words.js';

/** Kinds of the interrupt events that a machine emits, in the order in which they happened. */
export const EVENT_LINE = 1;
export const EVENT_APIC = 2;
export const EVENT_MSI = 3;
export const EVENT_INTR = 4;
/** No interrupt: from here on, the messages of the machine are addressed otherwise. */
export const EVENT_ADDRESS = 5;

const NAMES = { [EVENT_LINE]: 'line', [EVENT_APIC]: 'apic', [EVENT_MSI]: 'msi', [EVENT_INTR]: 'intr' } as const;

/** Causes beyond the sources of a line (0–27, `devices/gsi/sources.ts`). */
export const CAUSE_ENTRY_WRITE = 32;
export const CAUSE_EOI = 33;
export const CAUSE_DELAYED = 34;

const CAUSE_NAMES: { readonly [cause: number]: string } = {
  [CAUSE_ENTRY_WRITE]: 'write',
  [CAUSE_EOI]: 'eoi',
  [CAUSE_DELAYED]: 'delayed',
};

/** What an event says beside its cause and times. */
export type InterruptEvent =
  | {
      readonly kind: 'line';
      readonly gsi: number;
      readonly level: number;
      /** The newest decision of the source (`LineDecisions.newest`) where the design numbers decisions, else 0. */
      readonly decision: number;
    }
  | ({ readonly kind: 'apic' } & Readonly<IoapicMessage>)
  | { readonly kind: 'msi'; readonly timer: number; readonly address: number; readonly data: number }
  /** The level of the 8259 pair's INT output. */
  | { readonly kind: 'intr'; readonly level: number }
  | AddressEvent;

/** The logical address of a local APIC changed: `devices/ioapic/destinations.ts`. */
export interface AddressEvent {
  readonly kind: 'address';
  readonly vcpu: number;
  readonly address: number;
}

// Packing: EVENT_LINE: `a` GSI, `b` level, `c` decision. EVENT_APIC: `a` pin, `b` as below, `c` vector.
// EVENT_MSI: `a` timer, `b` address, `c` data. EVENT_INTR: `a` level.
// EVENT_ADDRESS: `a` vCPU, `b` address.

const DESTINATION_MASK = 0xff;
const DESTINATION_MODE_SHIFT = 8;
const DELIVERY_MODE_SHIFT = 9;
const DELIVERY_MODE_MASK = 7;
const TRIGGER_SHIFT = 12;

/** Stores kind and content; the caller has the cause and the times. */
function pack(event: EventWords, kind: number, a: number, b: number, c: number): void {
  event.kind = kind;
  event.a = a;
  event.b = b;
  event.c = c;
}

export function packLine(event: EventWords, gsi: number, level: number, decision: number): void {
  pack(event, EVENT_LINE, gsi, level, decision);
}

export function packApic(event: EventWords, message: IoapicMessage): void {
  const modes = (message.destinationMode << DESTINATION_MODE_SHIFT) | (message.deliveryMode << DELIVERY_MODE_SHIFT);
  const b = message.destination | modes | (message.trigger << TRIGGER_SHIFT);
  pack(event, EVENT_APIC, message.pin, b, message.vector);
}

export function packMsi(event: EventWords, timer: number, address: number, data: number): void {
  pack(event, EVENT_MSI, timer, address, data);
}

export function packIntr(event: EventWords, level: number): void {
  pack(event, EVENT_INTR, level, 0, 0);
}

export function packAddress(event: EventWords, vcpu: number, address: number): void {
  pack(event, EVENT_ADDRESS, vcpu, address, 0);
}

/** The content of an event; addresses and data are not negative. */
export function unpackEvent({ kind, a, b, c }: Readonly<EventWords>): InterruptEvent {
  switch (kind) {
    case EVENT_LINE:
      return { kind: 'line', gsi: a, level: b, decision: c };
    case EVENT_APIC:
      return {
        kind: 'apic',
        pin: a,
        destination: b & DESTINATION_MASK,
        destinationMode: (b >> DESTINATION_MODE_SHIFT) & 1,
        deliveryMode: (b >> DELIVERY_MODE_SHIFT) & DELIVERY_MODE_MASK,
        vector: c,
        trigger: (b >> TRIGGER_SHIFT) & 1,
      };
    case EVENT_MSI:
      return { kind: 'msi', timer: a, address: b >>> 0, data: c >>> 0 };
    case EVENT_INTR:
      return { kind: 'intr', level: a };
    case EVENT_ADDRESS:
      return { kind: 'address', vcpu: a, address: b };
    default:
      throw new Error(`unknown kind of event ${kind}`);
  }
}

/** The GSI, pin or timer of an event that is not EVENT_INTR. */
export function eventPlace({ a }: Readonly<EventWords>): number {
  return a;
}

// The summary of an event in one word, for traces

/** Kind | cause << 8 | GSI, pin or timer << 16 | level, or low 8 bits of vector or data, << 24. */
export function summarize({ kind, cause, a, b, c }: Readonly<EventWords>): number {
  const detail = kind === EVENT_LINE ? b : kind === EVENT_INTR ? a : c;
  return kind | (cause << 8) | ((a & 0xff) << 16) | ((detail & 0xff) << 24);
}

export interface EventSummary {
  readonly kind: number;
  readonly cause: number;
  readonly place: number;
  /** A level (EVENT_LINE, EVENT_INTR) or a vector. */
  readonly detail: number;
}

export function unpackSummary(word: number): EventSummary {
  return { kind: word & 0xff, cause: (word >> 8) & 0xff, place: (word >> 16) & 0xff, detail: word >>> 24 };
}

// Names

export function eventName(kind: number): string {
  return NAMES[kind as keyof typeof NAMES] ?? `event ${kind}`;
}

/** The name of what caused an event: a source of a line, or one of the causes above. */
export function causeName(cause: number): string {
  return CAUSE_NAMES[cause] ?? sourceName(cause);
}

export interface EventSink {
  /**
   * Puts one event of a machine into the order of all events; the caller holds the lock that protects the state which
   * the event reports. Waits only if the path emits more than the burst that `hasRoom`, called before any lock was
   * taken, found room for. Returns the event's position among all events, modulo 2^32; the event can be used again.
   */
  emit(machine: number, event: Readonly<EventWords>): number;

  /** Whether the ring has room for whatever one access, callback or control work of a machine can emit. */
  hasRoom(machine: number): boolean;

  /** As `hasRoom`. If not, the host visits the machine again once there is some, and serves others meanwhile. */
  admits(machine: number): boolean;
}
