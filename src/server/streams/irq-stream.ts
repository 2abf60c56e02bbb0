import type { Limits } from '../../config/schema.js';
import type { Gap, LineLevels, Restored } from '../../protocol/server-message.js';
import { Backlog } from '../flow/backlog.js';
import type { ConnectionKind } from '../flow/connections.js';
import type { Flow, Flowing } from '../flow/flow.js';
import type { Place } from '../service/cluster-port.js';
import type { IrqEvent } from '../service/irq-event.js';
import { linesBefore } from '../service/lines.js';
import type { Subscriber } from '../service/machine-events.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { MachineEnd } from '../service/vcpu.js';
import { PROTOCOL_VERSION } from './agreement.js';
import { IrqFilter } from './irq-filter.js';
import type { Encoder, Peer } from './outbox.js';
import { Outbox } from './outbox.js';

/** Where a subscriber goes on: the last event that it has. Without an epoch, it is of the current one. */
export interface Position {
  readonly epoch: string | undefined;
  readonly sequence: number;
}

/** Reads `<epoch>:<number>`, or a number; undefined if it is neither. */
export function positionIn(text: string): Position | undefined {
  const match = /^(?:([\w-]{1,64}):)?(\d{1,16})$/.exec(text);
  return match ? { epoch: match[1], sequence: Number(match[2]) } : undefined;
}

/** One subscriber of a machine's events, by WebSocket or Server-Sent Events. `end` when its connection has ended. */
export class IrqStream implements Subscriber, Flowing {
  /** Nothing that it sends is read anyway. */
  readonly paused = false;
  readonly #outbox: Outbox;

  constructor(
    readonly peer: Peer,
    encoder: Encoder,
    readonly machine: MachineHandle,
    limits: Limits,
    readonly flow: Flow,
    readonly kind: ConnectionKind,
    /** If the subscriber was here before. */
    after?: Position,
    readonly filter = new IrqFilter(),
    /** Whether its hello shows the epoch: version 1.1. */
    readonly hasEpoch = false,
    /** In a cluster. */
    place?: Place,
  ) {
    this.#outbox = new Outbox(
      peer,
      encoder,
      new Backlog(limits.pendingInterrupts, () => machine.events.lines, undefined, flow.drops[kind]),
      limits.bufferedBytes,
      (congested) => {
        if (congested) flow.congestions[kind]++;
      },
      () => machine.maySend(),
    );
    const { name } = machine;
    const { sequence, lines, origin } = machine.events;
    const { epoch } = origin;
    const version = PROTOCOL_VERSION;
    this.#outbox.send({ type: 'hello', version, machine: name, sequence, lines, ...(hasEpoch && { epoch }), ...place });
    const missed = machine.events.after(after?.sequence ?? sequence, limits.history);
    if (after !== undefined) this.#catchUp(after, missed);
    machine.events.subscribers.add(this);
    flow.connections.add(this);
  }

  get bufferedBytes(): number {
    return this.peer.bufferedAmount;
  }

  get congested(): boolean {
    return this.#outbox.congested;
  }

  get pendingEvents(): number {
    return this.#outbox.backlog.events;
  }

  /** Sends what the subscriber missed, and says what of it is no longer kept. */
  #catchUp({ epoch, sequence: after }: Position, missed: readonly IrqEvent[]): void {
    const { sequence, lines: now, origin } = this.machine.events;
    if (after > sequence || (epoch !== undefined && epoch !== origin.epoch)) {
      // It has events of another state, of another machine of this name, or of another server: all of this one are new to it.
      this.#gap(Math.min(1, sequence), sequence, now);
      return;
    }
    const first = missed[0]?.sequence ?? sequence + 1;
    if (first > after + 1) this.#gap(after + 1, first - 1, linesBefore(missed, now));
    for (const event of missed) this.event(event);
  }

  #gap(from: number, to: number, lines: LineLevels): void {
    this.flow.drops[this.kind].gaps++;
    this.#outbox.send({ type: 'gap', from, to, lines });
  }

  restored(gap: Gap, restored: Restored): void {
    this.#outbox.event(gap.to, this.hasEpoch ? restored : gap);
  }

  event(event: IrqEvent): void {
    if (this.filter.passes(event)) this.#outbox.event(event.sequence, event.wire);
  }

  end(): void {
    this.flow.connections.delete(this);
    this.machine.events.subscribers.delete(this);
  }

  ended({ code, reason }: MachineEnd): void {
    this.end();
    this.peer.close(code, reason);
  }
}
