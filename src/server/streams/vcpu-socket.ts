import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Limits } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import type { Access, ClientMessage } from '../../protocol/client-message.js';
import { type Codec, RefusedFrame } from '../../protocol/codec.js';
import { codecOf } from '../../protocol/codecs.js';
import type { IrqKind } from '../../protocol/names.js';
import type {
  BatchResults,
  ErrorMessage,
  Gap,
  Interrupt,
  Intr,
  Reply,
  ServerMessage,
} from '../../protocol/server-message.js';
import type { Completion, Request } from '../../runtime/rings/requests.js';
import {
  accessMmio,
  acknowledgeInterrupt,
  afterEvents,
  endOfInterrupt,
  readPort,
  setLine,
  setLogicalId,
  stepClock,
  tryBatch,
  writePort,
} from '../service/guest-requests.js';
import type { IrqEvent } from '../service/irq-event.js';
import type { Subscriber } from '../service/machine-events.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { Vcpu, VcpuHolder } from '../service/vcpu.js';
import { checkAccess } from './access.js';
import { capabilitiesOf, narrow, PROTOCOL_VERSION } from './agreement.js';
import { type BatchRoom, batchResults, fillResult } from './batch-results.js';
import type { Flow, Flowing } from './flow.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { PostedCredit } from './posted-credit.js';
import { RateLimiter } from './rate-limiter.js';
import { ReplyQueue, type Turn } from './reply-queue.js';
import { SocketPeer } from './socket-peer.js';

/** One connection of a vCPU: docs/protocol.md. */
export class VcpuSocket implements VcpuHolder, Subscriber, Flowing {
  readonly kind = 'vcpu';
  readonly #codec: Codec;
  readonly #outbox: Outbox;
  readonly #replies: ReplyQueue;
  readonly #credit: PostedCredit;
  readonly #capabilities: readonly string[];
  readonly #kinds = new Set<IrqKind>();
  readonly #rateLimiter: RateLimiter;
  readonly #inbox: Inbox;
  #paused = false;
  #heard = false;

  /** Takes the vCPU. Throws as `Vcpu.check`, after it has attached its handlers. */
  constructor(
    readonly socket: WebSocket,
    readonly machine: MachineHandle,
    readonly vcpu: Vcpu,
    readonly limits: Limits,
    readonly flow: Flow,
    token: string | undefined,
    readonly onFault: (error: unknown) => void,
    /** Under the socket. */
    stream: Duplex,
  ) {
    this.#codec = codecOf(socket.protocol);
    this.#capabilities = capabilitiesOf(machine.config.clock);
    this.#credit = new PostedCredit(Math.ceil(limits.requestsUnderWay / 4));
    this.#outbox = new Outbox(
      new SocketPeer(socket, stream),
      this.#codec,
      vcpu.backlog,
      limits.bufferedBytes,
      (congested) => this.#onCongestion(congested),
    );
    this.#replies = new ReplyQueue((message) => this.#outbox.reply(message));
    this.#rateLimiter = new RateLimiter(limits.framesPerSecond, () => this.#regulate());
    this.#inbox = new Inbox(
      machine.turnBudget,
      (data, isBinary) => this.#handle(data, isBinary),
      () => this.#regulate(),
    );
    socket.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    socket.on('close', () => this.#onClose());
    const resumeToken = vcpu.take(this, token);
    machine.changed = true;
    this.#outbox.reply({
      type: 'hello',
      version: PROTOCOL_VERSION,
      machine: machine.name,
      vcpu: vcpu.vcpu,
      clock: machine.config.clock,
      resumeToken,
      sequence: machine.events.sequence,
      ...(vcpu.vcpu === 0 && { intr: machine.events.intr }),
      capabilities: this.#capabilities,
      credit: limits.requestsUnderWay,
    });
    this.#outbox.flush();
    flow.connections.add(this);
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  get congested(): boolean {
    return this.#outbox.congested;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get pendingEvents(): number {
    return this.vcpu.backlog.events;
  }

  #onCongestion(congested: boolean): void {
    if (congested) this.flow.congestions.vcpu++;
    this.#regulate();
  }

  // From the machine

  interrupt(message: Interrupt | Intr | Gap): boolean {
    return this.#outbox.event(message.type === 'gap' ? message.to : message.sequence, message);
  }

  event(event: IrqEvent): void {
    if (this.#kinds.has(event.kind)) this.#outbox.event(event.sequence, event.wire);
  }

  close(code: number, reason: string): void {
    this.machine.events.subscribers.delete(this);
    this.socket.close(code, reason);
  }

  machineDeleted(): void {
    // The vCPU closes its holder.
  }

  #onClose(): void {
    this.#rateLimiter.stop();
    this.flow.connections.delete(this);
    this.machine.events.subscribers.delete(this);
    this.vcpu.leave(this);
  }

  // From the client

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (!this.#heard) {
      this.#heard = true;
      this.vcpu.confirm(this);
    }
    this.#rateLimiter.count();
    this.#inbox.push(data, isBinary);
    this.#regulate();
  }

  #handle(data: Buffer, isBinary: boolean): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    let id: number | undefined;
    try {
      const message = this.#read(data, isBinary);
      id = message.id;
      this.#perform(message);
    } catch (error) {
      if (error instanceof RefusedFrame) this.#refuse(error.id, error.error);
      else this.#refuse(id, error);
    }
  }

  #read(data: Buffer, isBinary: boolean): ClientMessage {
    const { frameBytes } = this.limits;
    if (data.length > frameBytes) throw new SouthbridgeError('frame-too-large', { limit: frameBytes });
    return this.#codec.decode(data, isBinary);
  }

  #refuse(id: number | undefined, error: unknown): void {
    const message = this.#errorMessage(id, error);
    this.#replies.perform(() => message);
  }

  #errorMessage(id: number | undefined, error: unknown): ErrorMessage {
    if (!(error instanceof SouthbridgeError)) this.onFault(error);
    const { code, message, details } =
      error instanceof SouthbridgeError ? error : new SouthbridgeError('internal', { request: `of id ${id}` });
    return { type: 'error', id, code, message, details };
  }

  /** Throws, before anything is done, what is wrong with the message. */
  #perform(message: ClientMessage): void {
    const { machine, vcpu } = this;
    const { id } = message;
    switch (message.type) {
      case 'hello':
        this.#replies.perform(() => this.#agree(id, message.version, message.capabilities));
        break;
      case 'access':
        this.#access(id, message.access);
        break;
      case 'batch':
        this.#batch(id, message.accesses);
        break;
      case 'in':
        this.#await(
          id,
          (done) => readPort(machine, vcpu.vcpu, message.port, done),
          (low) => ({ type: 'reply', id, value: { low, high: 0, size: 1 } }),
        );
        break;
      case 'out':
        this.#await(id, (done) => writePort(machine, vcpu.vcpu, message.port, message.value, done));
        break;
      case 'inta':
        this.#await(
          id,
          (done) => acknowledgeInterrupt(machine, vcpu.vcpu, done),
          (low) => ({ type: 'reply', id, vector: low }),
        );
        break;
      case 'line':
        this.#await(id, (done) => setLine(machine, vcpu.vcpu, message.gsi, message.level, done));
        break;
      case 'eoi':
        this.#await(id, (done) => endOfInterrupt(machine, vcpu.vcpu, message.vector, done));
        break;
      case 'step':
        this.#await(id, (done) => stepClock(machine, vcpu.vcpu, message.ns, done));
        break;
      case 'apic':
        this.#await(id, (done) => setLogicalId(machine, vcpu.vcpu, message, done));
        break;
      case 'sync':
        this.#replies.perform(() => ({ type: 'reply', id }));
        break;
      case 'subscribe':
        this.#replies.perform(() => this.#subscribe(id, message.kinds));
        break;
    }
  }

  #agree(id: number, version: number, wishes: readonly string[]): Reply {
    const agreement = narrow(version, wishes, this.#capabilities);
    this.#credit.enabled = agreement.capabilities.includes('credit');
    return { type: 'reply', id, agreement };
  }

  /** Begins a request to the machine and answers it, without a value unless `reply` makes one. */
  #await(
    id: number,
    submit: (done: Completion) => void,
    reply: (low: number) => Reply = () => ({ type: 'reply', id }),
  ): void {
    const turn = this.#replies.begin();
    this.#begin(turn, () =>
      submit((request) => {
        const failure = this.machine.failureOf(request);
        this.#finish(turn, failure ? this.#errorMessage(id, failure) : reply(request.low));
      }),
    );
  }

  /** Begins a request, which may be answered at once. One that throws leaves its turn to the error. */
  #begin(turn: Turn, submit: () => void): void {
    try {
      submit();
    } catch (error) {
      this.#finish(turn, undefined);
      throw error;
    }
  }

  #access(id: number, access: Access): void {
    checkAccess(access);
    const turn = this.#replies.begin();
    try {
      accessMmio(this.machine, this.vcpu.vcpu, access, (request) =>
        this.#finish(turn, this.#accessReply(id, access, request)),
      );
    } catch (error) {
      this.#finish(turn, undefined);
      throw error;
    }
  }

  #accessReply(id: number, { write, posted }: Access, request: Request): ServerMessage | undefined {
    const failure = this.machine.failureOf(request);
    if (failure) return this.#errorMessage(id, failure);
    if (write) return posted ? this.#credit.take() : { type: 'reply', id };
    const { low, high, size } = request;
    return { type: 'reply', id, value: { low, high, size } };
  }

  /** All or nothing: every access is checked before the first is begun. */
  #batch(id: number, accesses: readonly Access[]): void {
    const { machine } = this;
    const { batchAccesses } = this.limits;
    if (accesses.length > batchAccesses) {
      throw new SouthbridgeError('batch-too-large', { count: accesses.length, limit: batchAccesses });
    }
    for (const access of accesses) checkAccess(access);
    const results = batchResults(accesses);
    if (accesses.length === 0) {
      this.#replies.perform(() => ({ type: 'reply', id, results }));
      return;
    }
    const turn = this.#replies.begin();
    const part = this.#batchParts(accesses, results, () => this.#finish(turn, this.#batchReply(id, accesses, results)));
    const rest = () => {
      try {
        if (part()) this.#inbox.release();
        else machine.turnBudget.later(rest);
      } catch (error) {
        this.#inbox.release();
        this.#finish(turn, this.#errorMessage(id, error));
      }
    };
    this.#begin(turn, () => {
      if (part()) return;
      // Frames that come behind it wait for the last part.
      this.#inbox.hold();
      machine.turnBudget.later(rest);
    });
  }

  /** Returns what performs as much of a batch as this turn allows, and returns whether that was the last part. */
  #batchParts(accesses: readonly Access[], results: BatchRoom, finish: () => void): () => boolean {
    const { machine, vcpu } = this;
    let next = 0;
    let left = accesses.length;
    return () => {
      const end = next + machine.turnBudget.take(accesses.length - next);
      const first = next;
      next = tryBatch(machine, vcpu.vcpu, accesses, results, first, end);
      left -= next - first;
      if (left === 0) afterEvents(machine, vcpu.vcpu, finish);
      for (; next < end; next++) {
        const index = next;
        accessMmio(machine, vcpu.vcpu, accesses[index], (request) => {
          fillResult(results, index, machine.failureOf(request), request.low, request.high);
          if (--left === 0) finish();
        });
      }
      return next === accesses.length;
    };
  }

  #batchReply(id: number, accesses: readonly Access[], results: BatchResults): ServerMessage | undefined {
    const silent = results.faults.length === 0 && accesses.every(({ posted }) => posted);
    return silent ? this.#credit.take() : { type: 'reply', id, results };
  }

  #finish(turn: Turn, message: ServerMessage | undefined): void {
    this.#replies.finish(turn, message);
    if (this.#paused) this.#regulate();
  }

  #subscribe(id: number, kinds: readonly IrqKind[]): Reply {
    this.#kinds.clear();
    for (const kind of kinds) this.#kinds.add(kind);
    if (kinds.length > 0) this.machine.events.subscribers.add(this);
    else this.machine.events.subscribers.delete(this);
    return { type: 'reply', id };
  }

  /** Stops reading while too many requests are in flight, the client reads too slowly, or it sends too fast. */
  #regulate(): void {
    const { requestsUnderWay } = this.limits;
    const { length } = this.#replies;
    const busy = this.#paused ? length > requestsUnderWay / 2 : length >= requestsUnderWay;
    const full = busy || this.#outbox.congested || this.#rateLimiter.exhausted || this.#inbox.isWaiting;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) {
      this.flow.pauses++;
      this.socket.pause();
    } else this.socket.resume();
  }
}
