import { SOURCE_EXTERNAL, SOURCE_PIT, SOURCE_RTC, SOURCE_XEN, sourceName } from '../../core/devices/gsi/sources.js';
import {
  CAUSE_DELAYED,
  CAUSE_ENTRY_WRITE,
  CAUSE_EOI,
  EVENT_APIC,
  EVENT_LINE,
  EVENT_MSI,
} from '../../core/machine/events.js';
import type { Cause, IrqKind } from '../../protocol/names.js';
import type { Irq, IrqDetail } from '../../protocol/server-message.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import { type ApicMessage, decodeIoapicMessage, decodeMsi } from './apic.js';

/** One event of a machine's IRQ stream. */
export interface IrqEvent {
  readonly kind: IrqKind;
  /** Counts the events of a machine from 1. */
  readonly sequence: number;
  /** As it goes over the wire; one object for all who read it. */
  readonly wire: Irq;
  /** What reaches the local APICs, if anything. */
  readonly message: ApicMessage | undefined;
  /** Of kind `intr`: the level of the 8259 pair's output. */
  readonly intr: number | undefined;
}

const CAUSES: { readonly [cause: number]: Cause } = {
  [SOURCE_PIT]: 'pit',
  [SOURCE_RTC]: 'rtc',
  [SOURCE_EXTERNAL]: 'external',
  [SOURCE_XEN]: 'xen',
  [CAUSE_ENTRY_WRITE]: 'write',
  [CAUSE_EOI]: 'eoi',
  [CAUSE_DELAYED]: 'delayed',
};

function messageOf(event: MachineEvent): ApicMessage | undefined {
  if (event.kind === EVENT_APIC) return decodeIoapicMessage(event.b, event.c);
  return event.kind === EVENT_MSI ? decodeMsi(event.b >>> 0, event.c >>> 0) : undefined;
}

/** Takes an event out of the ring's object, which is used again. */
export function irqEvent(event: MachineEvent, sequence: number): IrqEvent {
  const { cause, virtualTime, deadline } = event;
  const message = messageOf(event);
  const detail = detailOf(event, message);
  const wire: Irq = {
    type: 'irq',
    sequence,
    cause: CAUSES[cause] ?? 'timer',
    timer: cause in CAUSES ? undefined : cause,
    virtualTime,
    // A wall clock that was never set may stand before 1970, and the binary form has no sign.
    wallTime: Math.max(0, Date.now()),
    deadline: deadline < 0 ? undefined : deadline,
    lateness: deadline < 0 ? undefined : Math.max(0, virtualTime - deadline),
    event: detail,
  };
  return { kind: detail.kind, sequence, wire, message, intr: detail.kind === 'intr' ? detail.level : undefined };
}

function detailOf({ kind, cause, a, b, c }: MachineEvent, message: ApicMessage | undefined): IrqDetail {
  switch (kind) {
    case EVENT_LINE:
      return { kind: 'line', gsi: a, level: b, source: sourceName(cause) };
    case EVENT_APIC:
      return { kind: 'apic', pin: a, message: message as ApicMessage };
    case EVENT_MSI:
      return { kind: 'msi', timer: a, address: b >>> 0, data: c >>> 0 };
    default:
      return { kind: 'intr', level: a };
  }
}
