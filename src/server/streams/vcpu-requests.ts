import type { Limits } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import type { Access, ClientRequest } from '../../protocol/client-message.js';
import type { IrqKind } from '../../protocol/names.js';
import type { BatchResults, ErrorMessage, Reply, ServerMessage } from '../../protocol/server-message.js';
import type { Completion, Request } from '../../runtime/rings/requests.js';
import { type BatchRoom, batchResults, fillResult } from '../service/batch-results.js';
import {
  accessMmio,
  acknowledgeInterrupt,
  afterEvents,
  endOfInterrupt,
  readPort,
  setInputInOrder,
  setLine,
  setLogicalId,
  stepClock,
  tryBatch,
  writePort,
} from '../service/guest-requests.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { Vcpu } from '../service/vcpu.js';
import { checkAccess } from './access.js';
import { PostedCredit } from './posted-credit.js';
import { ReplyQueue, type Turn } from './reply-queue.js';

/** The connection, or the session, whose requests these are. */
export interface RequestPorts {
  /** Sends a reply, an error, or credit. */
  send(message: ServerMessage, request: number): void;
  /** A request is answered. */
  answered(): void;
  /** Lets messages wait until `release`: the last request is not complete. */
  hold(): void;
  release(): void;
  subscribe(kinds: readonly IrqKind[]): void;
  onFault(error: unknown): void;
}

/** Executes the requests of a vCPU in order, and answers each in its turn. */
export class VcpuRequests {
  readonly replies: ReplyQueue;
  readonly credit: PostedCredit;
  /** Whether later messages wait: a batch continues in a later turn of the event loop, or the main loop drives an input. */
  isHolding = false;

  constructor(
    readonly machine: MachineHandle,
    readonly vcpu: Vcpu,
    readonly limits: Limits,
    readonly ports: RequestPorts,
    /** Version 1.1. */
    readonly hasSessions = false,
    /** Number of the request before the first. */
    before = 0,
  ) {
    this.replies = new ReplyQueue((message, request) => ports.send(message, request), before);
    this.credit = new PostedCredit(Math.ceil(limits.requestsUnderWay / 4));
  }

  refuse(id: number | undefined, error: unknown): void {
    const message = this.#errorMessage(id, error);
    this.replies.perform(() => message);
  }

  #errorMessage(id: number | undefined, error: unknown): ErrorMessage {
    if (!(error instanceof SouthbridgeError)) this.ports.onFault(error);
    const { code, message, details } =
      error instanceof SouthbridgeError ? error : new SouthbridgeError('internal', { request: `of id ${id}` });
    return { type: 'error', id, code, message, details };
  }

  /** Throws, before anything is done, what is wrong with the request. */
  perform(message: Exclude<ClientRequest, { readonly type: 'hello' }>): void {
    const { machine, vcpu } = this;
    const { id } = message;
    switch (message.type) {
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
        this.#step(message);
        break;
      case 'input':
        this.#input(message);
        break;
      case 'apic':
        this.#await(id, (done) => setLogicalId(machine, vcpu.vcpu, message, done));
        break;
      case 'sync':
        this.replies.perform(() => ({ type: 'reply', id }));
        break;
      case 'subscribe':
        this.replies.perform(() => {
          this.ports.subscribe(message.kinds);
          return { type: 'reply', id };
        });
        break;
    }
  }

  /** Begins a request to the machine and answers it, without a value unless `reply` makes one. */
  #await(
    id: number,
    submit: (done: Completion) => void,
    reply: (low: number) => Reply = () => ({ type: 'reply', id }),
  ): void {
    const turn = this.replies.begin();
    this.#begin(id, turn, () =>
      submit((request) => {
        const failure = this.machine.failureOf(request);
        this.#finish(turn, failure ? this.#errorMessage(id, failure) : reply(request.low));
      }),
    );
  }

  /** Begins a request, which may be answered at once. One that throws is answered by the error, in its turn. */
  #begin(id: number, turn: Turn, submit: () => void): void {
    try {
      submit();
    } catch (error) {
      this.#finish(turn, this.#errorMessage(id, error));
    }
  }

  #access(id: number, access: Access): void {
    checkAccess(access);
    const turn = this.replies.begin();
    try {
      accessMmio(this.machine, this.vcpu.vcpu, access, (request) =>
        this.#finish(turn, this.#accessReply(id, access, request)),
      );
    } catch (error) {
      this.#finish(turn, this.#errorMessage(id, error));
    }
  }

  #accessReply(id: number, { write, posted }: Access, request: Request): ServerMessage | undefined {
    const failure = this.machine.failureOf(request);
    if (failure) return this.#errorMessage(id, failure);
    if (write) return posted ? this.credit.take() : { type: 'reply', id };
    const { low, high, size } = request;
    return { type: 'reply', id, value: { low, high, size } };
  }

  /** A register that is read behind the step: the requests of a vCPU are executed in order. */
  #step({ id, ns, toDeadline = false, read }: Extract<ClientRequest, { readonly type: 'step' }>): void {
    if (read) checkAccess(read);
    const { machine, vcpu } = this;
    const turn = this.replies.begin();
    let step: Request | undefined;
    let value: Request | undefined;
    const finish = () => {
      if (!step || (read && !value)) return;
      const failure = machine.failureOf(step) ?? (value && machine.failureOf(value));
      this.#finish(turn, failure ? this.#errorMessage(id, failure) : this.#stepReply(id, step, value));
    };
    this.#begin(id, turn, () => {
      stepClock(machine, vcpu.vcpu, ns, toDeadline, (request) => {
        step = request;
        finish();
      });
      if (!read) return;
      accessMmio(machine, vcpu.vcpu, read, (request) => {
        value = request;
        finish();
      });
    });
  }

  /** A client of version 1 gets the reply that it knows. */
  #stepReply(id: number, step: Request, read: Request | undefined): Reply {
    if (!this.hasSessions) return { type: 'reply', id };
    const deadline = step.high * 2 ** 32 + step.low;
    return {
      type: 'reply',
      id,
      ...(read && { value: { low: read.low, high: read.high, size: read.size } }),
      time: step.address,
      ...(deadline > 0 && { deadline }),
    };
  }

  /** The PIT and the RTC belong to the main loop: later messages wait for it. */
  #input({ id, input, level }: Extract<ClientRequest, { readonly type: 'input' }>): void {
    const turn = this.replies.begin();
    const holds = input !== 'xen';
    const end = (failure: unknown) => {
      if (holds) this.#release();
      this.#finish(turn, failure ? this.#errorMessage(id, failure) : { type: 'reply', id });
    };
    if (holds) this.#hold();
    try {
      setInputInOrder(this.machine, this.vcpu.vcpu, input, level, end);
    } catch (error) {
      end(error);
    }
  }

  /** All or nothing: every access is checked before the first is begun. */
  #batch(id: number, accesses: readonly Access[]): void {
    const { batchAccesses } = this.limits;
    if (accesses.length > batchAccesses) {
      throw new SouthbridgeError('batch-too-large', { count: accesses.length, limit: batchAccesses });
    }
    for (const access of accesses) checkAccess(access);
    const results = batchResults(accesses);
    if (accesses.length === 0) {
      this.replies.perform(() => ({ type: 'reply', id, results }));
      return;
    }
    const turn = this.replies.begin();
    const part = this.#batchParts(accesses, results, () => this.#finish(turn, this.#batchReply(id, accesses, results)));
    this.#begin(id, turn, () => {
      if (!part()) this.#continue(id, turn, part);
    });
  }

  /** Performs the other parts of a batch in later turns. */
  #continue(id: number, turn: Turn, part: () => boolean): void {
    const { turnBudget } = this.machine;
    const rest = () => {
      try {
        if (part()) this.#release();
        else turnBudget.later(rest);
      } catch (error) {
        this.#release();
        this.#finish(turn, this.#errorMessage(id, error));
      }
    };
    this.#hold();
    turnBudget.later(rest);
  }

  #hold(): void {
    this.isHolding = true;
    this.ports.hold();
  }

  #release(): void {
    this.isHolding = false;
    this.ports.release();
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
    return silent ? this.credit.take() : { type: 'reply', id, results };
  }

  #finish(turn: Turn, message: ServerMessage | undefined): void {
    this.replies.finish(turn, message);
    this.ports.answered();
  }
}
