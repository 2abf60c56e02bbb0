import { randomBytes } from 'node:crypto';
import { unpackEvent } from '../../core/machine/events.js';
import type { Gap, LineLevels, Restored } from '../../protocol/server-message.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import { addressed } from './apic.js';
import { History } from './history.js';
import { type IrqEvent, irqEvent } from './irq-event.js';
import { linesAfter, NO_LINES } from './lines.js';
import type { MachineEnd, Vcpu } from './vcpu.js';

/** A subscriber of a machine's IRQ stream. */
export interface Subscriber {
  event(event: IrqEvent): void;
  /** The state was replaced; the gap, of version 1, has the levels of the lines. */
  restored?(gap: Gap, restored: Restored): void;
  /** The machine is no more, or not here. */
  ended(end: MachineEnd): void;
}

/** The beginning of a line of machine state. */
export interface Origin {
  /** Names the line: opaque. */
  readonly epoch: string;
  /** Number of the event that the beginning is; 0 for a new machine. */
  readonly sequence: number;
  /** Number of the last event before this state, and how old the state was, in ms. */
  readonly event: number;
  readonly age: number;
  readonly lines: LineLevels;
  readonly intr: number;
}

export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

/** `request`: the last of the vCPU's session that the state contains. */
export function restoredMessage(origin: Origin, vcpu: number, request: number | undefined): Restored {
  const { intr, ...fields } = origin;
  return {
    type: 'restored',
    ...fields,
    ...(request !== undefined && { request }),
    ...(vcpu === 0 && { intr }),
  };
}

/** The events of a machine: their numbers, the levels that they lead to, and the vCPUs and subscribers that get them. */
export class MachineEvents {
  readonly subscribers = new Set<Subscriber>();
  /** Allocated for the first subscriber. */
  #history: History | undefined;
  /** Number of the last event. */
  sequence = 0;
  /** Level of the 8259 pair's output, which reaches vCPU 0. */
  intr = 0;
  /** Levels of the lines right after event `sequence`. */
  lines: LineLevels = NO_LINES;
  origin: Origin = { epoch: newEpoch(), sequence: 0, event: 0, age: 0, lines: NO_LINES, intr: 0 };

  constructor(readonly vcpus: readonly Vcpu[]) {}

  /** The events after number `sequence`, of the last `limit`; from the first call on events are kept. */
  after(sequence: number, limit: number): readonly IrqEvent[] {
    this.#history ??= new History(limit);
    return this.#history.after(sequence);
  }

  /**
   * Begins a new epoch with a state that replaced the one before: event `event` was its last, and it was `age` ms old.
   * Sends vCPUs and subscribers its levels. That takes a number of its own: a
   * subscriber that reconnects later also gets a gap, because no event leads from the old levels to these.
   */
  restored(event: number, age: number): void {
    const from = this.sequence + 1;
    this.sequence = from;
    this.#history?.clear();
    const gap: Gap = { type: 'gap', from, to: from, lines: this.lines };
    this.begin(event, age);
    const restored = restoredMessage(this.origin, 0, undefined);
    for (const subscriber of this.subscribers) subscriber.restored?.(gap, restored);
    for (const vcpu of this.vcpus) vcpu.restored(gap, restoredMessage(this.origin, vcpu.vcpu, undefined));
  }

  /** Names the state as it is now. */
  begin(event: number, age: number): void {
    const { lines, intr } = this;
    // As in a snapshot: a float64 no longer counts beyond.
    const sequence = Math.min(this.sequence, Number.MAX_SAFE_INTEGER);
    this.origin = { epoch: newEpoch(), sequence, event, age, lines, intr };
  }

  /** Numbers an interrupt event of the machine and delivers it. A new logical address has no number. */
  take(raw: MachineEvent): void {
    const content = unpackEvent(raw);
    if (content.kind === 'address') {
      this.vcpus[content.vcpu].logicalAddress = content.address;
      return;
    }
    const event = irqEvent(raw, content, ++this.sequence);
    this.lines = linesAfter(this.lines, event.wire);
    this.#history?.keep(event);
    for (const subscriber of this.subscribers) subscriber.event(event);
    if (event.intr !== undefined) {
      this.intr = event.intr;
      this.vcpus[0].intr(event.sequence, event.intr);
    }
    if (!event.message) return;
    for (const vcpu of addressed(event.message, this.vcpus)) vcpu.interrupt(event, event.message);
  }
}
