import { unpackEvent } from '../../core/machine/events.js';
import type { Gap, LineLevels } from '../../protocol/server-message.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import { addressed } from './apic.js';
import { History } from './history.js';
import { type IrqEvent, irqEvent } from './irq-event.js';
import { linesAfter, NO_LINES } from './lines.js';
import type { Vcpu } from './vcpu.js';

/** A subscriber of a machine's IRQ stream. */
export interface Subscriber {
  event(event: IrqEvent): void;
  /** The state was replaced; the gap has the levels of the lines. */
  restored?(gap: Gap): void;
  machineDeleted(): void;
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

  constructor(readonly vcpus: readonly Vcpu[]) {}

  /** The events after number `sequence`, of the last `limit`; from the first call on events are kept. */
  after(sequence: number, limit: number): readonly IrqEvent[] {
    this.#history ??= new History(limit);
    return this.#history.after(sequence);
  }

  /**
   * Sends vCPUs and subscribers the levels of a state that replaced the one before. That takes a number of its own: a
   * subscriber that reconnects later also gets a gap, because no event leads from the old levels to these.
   */
  restored(): void {
    const from = this.sequence + 1;
    this.sequence = from;
    this.#history?.clear();
    const gap: Gap = { type: 'gap', from, to: from, lines: this.lines };
    for (const subscriber of this.subscribers) subscriber.restored?.(gap);
    for (const vcpu of this.vcpus) vcpu.restored(gap);
    this.vcpus[0].intr(from, this.intr);
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
