import { within } from '../../../runtime/promises.js';
import type { MachineHandle } from '../../service/machine-handle.js';
import type { Clock } from '../clock.js';
import type { ClusterNode } from '../node.js';
import type { OwnedMachine } from '../owned-machine.js';
import type { EventLog } from './event-log.js';
import { EventPublisher } from './event-publisher.js';
import { decodeRecord, encodeRecord } from './records.js';

/** Before a machine leaves this node, for the events that wait: those that are late are missing, and readers get a gap. */
const FLUSH_MS = 1000;

/** Publishes the events of the machines that this node has. */
export class EventPublishers {
  readonly #publishers = new Map<string, EventPublisher>();
  /** Events that found no room while the stream was slow. */
  missed = 0;

  constructor(
    readonly log: EventLog,
    readonly clock: Clock,
    readonly keptMs: number,
    readonly node: () => ClusterNode,
  ) {}

  /** Events that wait for the stream. */
  get waiting(): number {
    let waiting = 0;
    for (const publisher of this.#publishers.values()) waiting += publisher.waiting;
    return waiting;
  }

  /** A new machine of this process, which may not have its state yet. */
  made(machine: MachineHandle): void {
    const { name, events } = machine;
    const publisher = new EventPublisher(events, () => {
      if (this.#publishers.get(name) === publisher) this.#publishers.delete(name);
    });
    this.#publishers.set(name, publisher);
  }

  /** The machine has its state, and this node owns it. */
  owns(owned: OwnedMachine): void {
    const publisher = this.#publishers.get(owned.name);
    if (!publisher || publisher.hasBegun) return;
    const node = this.node();
    const { life } = node;
    publisher.begin({
      log: this.log,
      clock: this.clock,
      machine: owned.name,
      node: node.parts.node,
      keptMs: this.keptMs,
      fence: () => owned.fence,
      mayPublish: () => node.isHeld && node.life === life,
      lost: () => node.disown(owned),
      missed: (events) => {
        this.missed += events;
      },
    });
  }

  /** Ends the stream of a machine that this node owns, and that runs nowhere. Throws `Conflict` after a record of a later owner. */
  async end({ name, fence }: OwnedMachine): Promise<void> {
    const last = await this.log.last(name);
    if (!last) return;
    const { epoch, sequence, lines, type } = decodeRecord(last.data);
    if (type === 'end') return;
    const { node } = this.node().parts;
    const record = { type: 'end', machine: name, node, fence, epoch, sequence, lines } as const;
    await this.log.append(name, encodeRecord(record), last.position);
  }

  /** Resolves when what waits of a machine is published, or after a second. */
  async flush(machine: string): Promise<void> {
    await within(FLUSH_MS, this.#publishers.get(machine)?.flush() ?? Promise.resolve(), undefined);
  }

  async flushAll(): Promise<void> {
    await Promise.all([...this.#publishers.keys()].map((machine) => this.flush(machine)));
  }
}
