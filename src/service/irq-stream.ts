import type { WebSocket } from 'ws';
import type { Limits } from '../config/schema.js';
import { Backlog } from './backlog.js';
import type { IrqEvent } from './irq-event.js';
import type { MachineHandle, Subscriber } from './machine-handle.js';
import { Outbox } from './outbox.js';
import { CLOSE_MACHINE_DELETED } from './vcpu.js';

/** One subscriber of all events of a machine. What it sends is not read. */
export class IrqStream implements Subscriber {
  readonly #outbox: Outbox;

  constructor(
    readonly socket: WebSocket,
    readonly machine: MachineHandle,
    limits: Limits,
    /** The last event that the subscriber has, if it was here before. */
    after?: number,
  ) {
    this.#outbox = new Outbox(socket, new Backlog(limits.pendingInterrupts), limits.bufferedBytes, () => {});
    socket.on('message', () => socket.close(1003, 'bad-message'));
    socket.on('close', () => machine.subscribers.delete(this));
    const { name, sequence } = machine;
    this.#outbox.reply(JSON.stringify({ type: 'hello', version: 1, machine: name, sequence: String(sequence) }));
    const missed = machine.eventsAfter(after ?? sequence, limits.history);
    if (after !== undefined) this.#catchUp(after, missed);
    machine.subscribers.add(this);
  }

  /** Sends what the subscriber missed, and says what of it is no longer kept. */
  #catchUp(after: number, missed: readonly IrqEvent[]): void {
    const first = missed[0]?.sequence ?? this.machine.sequence + 1;
    if (first > after + 1) {
      this.#outbox.reply(JSON.stringify({ type: 'gap', from: String(after + 1), to: String(first - 1) }));
    }
    for (const event of missed) this.event(event);
  }

  event(event: IrqEvent): void {
    this.#outbox.event(event.sequence, event.text);
  }

  machineDeleted(): void {
    this.machine.subscribers.delete(this);
    this.socket.close(CLOSE_MACHINE_DELETED, 'machine-closing');
  }
}
