import { SOURCE_EXTERNAL, SOURCE_PIT, SOURCE_RTC, SOURCE_XEN, sourceName } from '../devices/gsi/sources.js';
import type { MachineEvent } from '../events/event-ring.js';
import {
  CAUSE_DELAYED,
  CAUSE_ENTRY_WRITE,
  CAUSE_EOI,
  EVENT_APIC,
  EVENT_INTR,
  EVENT_LINE,
  EVENT_MSI,
} from '../machine/events.js';
import { type ApicMessage, DELIVERY_MODE_NAMES, decodeIoapicMessage, decodeMsi } from './apic.js';
import { formatAddress } from './values.js';

export const IRQ_KINDS = ['line', 'apic', 'msi', 'intr'] as const;
export type IrqKind = (typeof IRQ_KINDS)[number];

const KINDS: { readonly [kind: number]: IrqKind } = {
  [EVENT_LINE]: 'line',
  [EVENT_APIC]: 'apic',
  [EVENT_MSI]: 'msi',
  [EVENT_INTR]: 'intr',
};

/** One event of a machine's IRQ stream. */
export interface IrqEvent {
  readonly kind: IrqKind;
  /** Counts the events of a machine from 1. */
  readonly sequence: number;
  /** As it goes over the wire: type `irq`. */
  readonly text: string;
  /** What reaches the local APICs, if anything. */
  readonly message: ApicMessage | undefined;
  /** Of kind `intr`: the level of the 8259 pair's output. */
  readonly intr: number | undefined;
}

const CAUSES: { readonly [cause: number]: string } = {
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

/** Takes an event out of the ring's object, which is used again. The text is only made if someone reads it. */
export function irqEvent(event: MachineEvent, sequence: number): IrqEvent {
  const { kind, cause, a, b, c, virtualTime, deadline } = event;
  const wallTime = Date.now();
  const message = messageOf(event);
  let text: string | undefined;
  const timing = () => ({
    sequence: String(sequence),
    cause: CAUSES[cause] ?? 'timer',
    ...(cause in CAUSES ? {} : { timer: cause }),
    virtualTime: String(virtualTime),
    wallTime: String(wallTime),
    ...(deadline < 0 ? {} : { deadline: String(deadline), lateness: String(Math.max(0, virtualTime - deadline)) }),
  });
  const describe = () => {
    const common = { kind: KINDS[kind], ...timing() };
    switch (kind) {
      case EVENT_LINE:
        return { ...common, gsi: a, level: b, source: sourceName(cause) };
      case EVENT_APIC:
        return { ...common, pin: a, ...messageFields(message as ApicMessage) };
      case EVENT_MSI:
        return { ...common, timer: a, address: formatAddress(b >>> 0), data: formatAddress(c >>> 0) };
      default:
        return { ...common, level: a };
    }
  };
  return {
    kind: KINDS[kind],
    sequence,
    message,
    intr: kind === EVENT_INTR ? a : undefined,
    get text() {
      text ??= JSON.stringify({ type: 'irq', ...describe() });
      return text;
    },
  };
}

function messageFields(message: ApicMessage) {
  return {
    vector: message.vector,
    deliveryMode: DELIVERY_MODE_NAMES[message.deliveryMode],
    triggerMode: message.level ? 'level' : 'edge',
    destinationMode: message.logical ? 'logical' : 'physical',
    destination: message.destination,
  };
}

/** The message to the vCPU that the 8259 pair interrupts. */
export function intrText(sequence: number, level: number): string {
  return JSON.stringify({ type: 'intr', sequence: String(sequence), level });
}

/** The message to a vCPU that is addressed. */
export function interruptText(sequence: number, message: ApicMessage): string {
  return JSON.stringify({ type: 'interrupt', sequence: String(sequence), ...messageFields(message) });
}
