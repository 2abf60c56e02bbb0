import { isTimer, sourceName } from '../../core/devices/gsi/sources.js';
import { type AddressEvent, causeName, type InterruptEvent } from '../../core/machine/events.js';
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

type Interrupt = Exclude<InterruptEvent, AddressEvent>;

function messageOf(event: Interrupt): ApicMessage | undefined {
  if (event.kind === 'apic') return decodeIoapicMessage(event);
  return event.kind === 'msi' ? decodeMsi(event.address, event.data) : undefined;
}

/** Takes an event out of the ring's object, which is used again; `content` is what it was unpacked to. */
export function irqEvent(event: MachineEvent, content: Interrupt, sequence: number): IrqEvent {
  const { cause, virtualTime, deadline } = event;
  const message = messageOf(content);
  const detail = detailOf(content, cause, message);
  const wire: Irq = {
    type: 'irq',
    sequence,
    cause: isTimer(cause) ? 'timer' : (causeName(cause) as Cause),
    timer: isTimer(cause) ? cause : undefined,
    virtualTime,
    // A wall clock that was never set may stand before 1970, and the binary form has no sign.
    wallTime: Math.max(0, Date.now()),
    deadline: deadline < 0 ? undefined : deadline,
    lateness: deadline < 0 ? undefined : Math.max(0, virtualTime - deadline),
    event: detail,
  };
  return { kind: detail.kind, sequence, wire, message, intr: detail.kind === 'intr' ? detail.level : undefined };
}

function detailOf(event: Interrupt, cause: number, message: ApicMessage | undefined): IrqDetail {
  switch (event.kind) {
    case 'line':
      return { kind: 'line', gsi: event.gsi, level: event.level, source: sourceName(cause) };
    case 'apic':
      return { kind: 'apic', pin: event.pin, message: message as ApicMessage };
    default:
      return event;
  }
}
