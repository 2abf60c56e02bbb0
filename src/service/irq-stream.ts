import type { WebSocket } from 'ws';
import type { Limits } from '../config/schema.js';
import { codecOf } from '../wire/codecs.js';
import { PROTOCOL_VERSION } from './agreement.js';
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
  ) {
    this.#outbox = new Outbox(
      socket,
      codecOf(socket.protocol),
      new Backlog(limits.pendingInterrupts),
      limits.bufferedBytes,
      () => {},
    );
    socket.on('message', () => socket.close(1003, 'bad-message'));
    socket.on('close', () => machine.subscribers.delete(this));
    const { name, sequence } = machine;
    this.#outbox.reply({ type: 'hello', version: PROTOCOL_VERSION, machine: name, sequence });
    machine.subscribers.add(this);
  }

  event(event: IrqEvent): void {
    this.#outbox.event(event.sequence, event.wire);
  }

  machineDeleted(): void {
    this.machine.subscribers.delete(this);
    this.socket.close(CLOSE_MACHINE_DELETED, 'machine-closing');
  }
}
