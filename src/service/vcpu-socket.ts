import type { RawData, WebSocket } from 'ws';
import type { Limits } from '../config/schema.js';
import { SouthbridgeError } from '../errors.js';
import type { Access } from './access.js';
import { accessOf } from './access.js';
import type { IrqEvent, IrqKind } from './irq-event.js';
import type { Answer, MachineHandle, Subscriber } from './machine-handle.js';
import type { VcpuMessage } from './messages.js';
import { Outbox } from './outbox.js';
import { ReplyQueue, type Turn } from './reply-queue.js';
import { formatValue } from './values.js';
import type { Vcpu, VcpuHolder } from './vcpu.js';
import { type Frame, idOf, parseFrame, vcpuMessage } from './vcpu-message.js';

export const PROTOCOL_VERSION = 1;

/** One connection of a vCPU: docs/protocol.md. */
export class VcpuSocket implements VcpuHolder, Subscriber {
  readonly #outbox: Outbox;
  readonly #replies: ReplyQueue;
  readonly #kinds = new Set<IrqKind>();
  #paused = false;

  /** Takes the vCPU. Throws as `Vcpu.check`, after it has attached its handlers. */
  constructor(
    readonly socket: WebSocket,
    readonly machine: MachineHandle,
    readonly vcpu: Vcpu,
    readonly limits: Limits,
    token: string | undefined,
    readonly onFault: (error: unknown) => void,
  ) {
    this.#outbox = new Outbox(socket, vcpu.backlog, limits.bufferedBytes, () => this.#regulate());
    this.#replies = new ReplyQueue((text) => this.#outbox.reply(text));
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('close', () => this.#onClose());
    const resumeToken = vcpu.take(this, token);
    this.#outbox.reply(
      JSON.stringify({
        type: 'hello',
        version: PROTOCOL_VERSION,
        machine: machine.name,
        vcpu: vcpu.vcpu,
        clock: machine.config.clock,
        resumeToken,
        sequence: String(machine.sequence),
        ...(vcpu.vcpu === 0 && { intr: machine.intr }),
      }),
    );
    this.#outbox.flush();
  }

  // From the machine

  interrupt(sequence: number, text: string): boolean {
    return this.#outbox.event(sequence, text);
  }

  event(event: IrqEvent): void {
    if (this.#kinds.has(event.kind)) this.#outbox.event(event.sequence, event.text);
  }

  close(code: number, reason: string): void {
    this.machine.subscribers.delete(this);
    this.socket.close(code, reason);
  }

  machineDeleted(): void {
    // The vCPU closes its holder.
  }

  #onClose(): void {
    this.machine.subscribers.delete(this);
    this.vcpu.leave(this);
  }

  // From the client

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    let frame: Frame | undefined;
    try {
      frame = this.#read(data, isBinary);
      this.#perform(vcpuMessage(frame));
    } catch (error) {
      this.#refuse(frame && idOf(frame), error);
    }
    this.#regulate();
  }

  #read(data: RawData, isBinary: boolean): Frame {
    const { frameBytes } = this.limits;
    if ((data as Buffer).length > frameBytes) throw new SouthbridgeError('frame-too-large', { limit: frameBytes });
    if (isBinary)
      throw new SouthbridgeError('bad-message', { reason: 'it is a binary frame, and this protocol is text' });
    return parseFrame(String(data));
  }

  #refuse(id: number | undefined, error: unknown): void {
    const text = this.#errorText(id, error);
    this.#replies.perform(() => text);
  }

  #errorText(id: number | undefined, error: unknown): string {
    if (!(error instanceof SouthbridgeError)) this.onFault(error);
    const { code, message, details } =
      error instanceof SouthbridgeError ? error : new SouthbridgeError('internal', { request: `of id ${id}` });
    return JSON.stringify({ type: 'error', id, code, message, details });
  }

  /** Throws, before anything is done, what is wrong with the message. */
  #perform(message: VcpuMessage): void {
    const { machine, vcpu } = this;
    const { id } = message;
    switch (message.type) {
      case 'read':
      case 'write':
        this.#access(id, accessOf(accessRequest(message)), message.type === 'write' && message.posted === true);
        break;
      case 'batch':
        this.#batch(id, message.accesses.map(accessOf));
        break;
      case 'in':
        this.#await(
          id,
          (answer) => machine.port(vcpu.vcpu, Number(message.port), undefined, answer),
          (low) => valueText(id, formatValue(low, 0, 1)),
        );
        break;
      case 'out':
        this.#await(id, (answer) => machine.port(vcpu.vcpu, Number(message.port), Number(message.value), answer));
        break;
      case 'inta':
        this.#await(
          id,
          (answer) => machine.acknowledge(vcpu.vcpu, answer),
          (low) => `{"type":"reply","id":${id},"vector":${low}}`,
        );
        break;
      case 'line':
        this.#await(id, (answer) => machine.setLine(vcpu.vcpu, message.gsi, message.level, answer));
        break;
      case 'eoi':
        this.#await(id, (answer) => machine.endOfInterrupt(vcpu.vcpu, message.vector, answer));
        break;
      case 'step':
        this.#await(id, (answer) => machine.step(vcpu.vcpu, Number(message.ns), answer));
        break;
      case 'apic':
        this.#replies.perform(() => {
          vcpu.logicalId = message.logicalId;
          vcpu.format = message.format;
          return replyText(id);
        });
        break;
      case 'sync':
        this.#replies.perform(() => replyText(id));
        break;
      case 'subscribe':
        this.#replies.perform(() => this.#subscribe(id, message.kinds));
        break;
    }
  }

  /** Begins a request to the machine and answers it, without a value unless `text` makes one. */
  #await(id: number, submit: (answer: Answer) => void, text: (low: number) => string = () => replyText(id)): void {
    this.#inTurn((turn) => submit((error, low) => this.#finish(turn, error ? this.#errorText(id, error) : text(low))));
  }

  /** Begins a request, which may be answered at once. One that throws leaves its turn to the error. */
  #inTurn(submit: (turn: Turn) => void): void {
    const turn = this.#replies.begin();
    try {
      submit(turn);
    } catch (error) {
      this.#finish(turn, undefined);
      throw error;
    }
  }

  #access(id: number, access: Access, posted: boolean): void {
    this.#inTurn((turn) =>
      this.machine.access(this.vcpu.vcpu, access, (error, low, high) => {
        let text: string | undefined;
        if (error) text = this.#errorText(id, error);
        else if (!access.write) text = valueText(id, formatValue(low, high, access.size));
        else if (!posted) text = replyText(id);
        this.#finish(turn, text);
      }),
    );
  }

  /** All or nothing: every access was checked before the first is begun. */
  #batch(id: number, accesses: readonly Access[]): void {
    const { batchAccesses } = this.limits;
    if (accesses.length > batchAccesses) {
      throw new SouthbridgeError('batch-too-large', { count: accesses.length, limit: batchAccesses });
    }
    const results: object[] = [];
    let answered = 0;
    const text = () => JSON.stringify({ type: 'reply', id, results });
    if (accesses.length === 0) {
      this.#replies.perform(text);
      return;
    }
    this.#inTurn((turn) => {
      for (const [index, access] of accesses.entries()) {
        this.machine.access(this.vcpu.vcpu, access, (error, low, high) => {
          if (error) results[index] = error.toJSON();
          else results[index] = access.write ? {} : { value: formatValue(low, high, access.size) };
          if (++answered === accesses.length) this.#finish(turn, text());
        });
      }
    });
  }

  #finish(turn: Turn, text: string | undefined): void {
    this.#replies.finish(turn, text);
    if (this.#paused) this.#regulate();
  }

  #subscribe(id: number, kinds: readonly IrqKind[]): string {
    this.#kinds.clear();
    for (const kind of kinds) this.#kinds.add(kind);
    if (kinds.length > 0) this.machine.subscribers.add(this);
    else this.machine.subscribers.delete(this);
    return replyText(id);
  }

  /** Reads no further while too much is under way, or too little is read at the other end. */
  #regulate(): void {
    const { requestsUnderWay } = this.limits;
    const { length } = this.#replies;
    const full = this.#outbox.congested || (this.#paused ? length > requestsUnderWay / 2 : length >= requestsUnderWay);
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.socket.pause();
    else this.socket.resume();
  }
}

function accessRequest(message: VcpuMessage & { type: 'read' | 'write' }) {
  const { type, address, size } = message;
  return { type, address, size, value: message.type === 'write' ? message.value : undefined };
}

function replyText(id: number): string {
  return `{"type":"reply","id":${id}}`;
}

function valueText(id: number, value: string): string {
  return `{"type":"reply","id":${id},"value":"${value}"}`;
}
