import { GONE, STEP } from './submission-ring.js';

/**
 * Called with a request that is answered: `status` has a result of `submission-ring.ts`, and `low` and `high` have the
 * halves of the value that was read, or 0.
 */
export type Completion = (request: Request) => void;

/** Slot and vCPU of a request that belongs to no machine, or to no vCPU. */
export const NONE = -1;

/** A request waits while its machine is blocked, is then inside (on the gateway or a vCPU thread), and then answered. */
export const WAITING = 0;
export const INSIDE = 1;
export const ANSWERED = 2;

/**
 * One request to a machine. It is made where its message is decoded, and passed by reference from there to its answer.
 * All requests have the same fields in the same order: code that handles them sees one shape.
 */
export class Request {
  // Declared only: as class fields they would all be defined as undefined first, for every request.
  declare readonly slot: number;
  /** Requests of one vCPU are executed in order. */
  declare readonly vcpu: number;
  /** An operation of `submission-ring.ts`. */
  declare readonly operation: number;
  /** Bytes of an access. */
  declare readonly size: number;
  /** Of a step that was completed: the virtual time that it reached. */
  declare address: number;
  /** Halves of the value, unsigned; of the result once it is answered. */
  declare low: number;
  declare high: number;
  declare readonly done: Completion;
  declare state: number;
  declare status: number;
  /** Whether it was dispatched to a vCPU thread. */
  declare onThread: boolean;
  /** Counts it, if it belongs to a vCPU of a machine. */
  declare record: MachineRequests | undefined;

  constructor(
    slot: number,
    vcpu: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    done: Completion,
  ) {
    this.slot = slot;
    this.vcpu = vcpu;
    this.operation = operation;
    this.size = size;
    this.address = address;
    this.low = low;
    this.high = high;
    this.done = done;
    this.state = WAITING;
    this.status = 0;
    this.onThread = false;
    this.record = undefined;
  }

  answer(status: number, low: number, high: number): void {
    this.status = status;
    this.low = low;
    this.high = high;
    this.finish();
  }

  /** Completes a request that has its result. */
  finish(): void {
    if (this.record) {
      this.record.finish(this);
      return;
    }
    this.state = ANSWERED;
    this.done(this);
  }
}

/** What the record of a machine needs of the gateway. */
export interface MachinePorts {
  /** Whether the machine is frozen: then no request enters it. */
  isFrozen(): boolean;
  /** Executes a request inline, or returns it to the record by `dispatch`. */
  perform(request: Request): void;
  /** Submits a request to its vCPU thread. */
  submit(request: Request): void;
}

interface VcpuRecord {
  /** Dispatched to the vCPU thread and not answered. */
  onThread: number;
  /** While a step is pending: the requests after it, in order. */
  behindStep: Request[] | undefined;
}

/** The unanswered requests of one machine: those that wait while new ones are blocked, and those inside the machine. */
export class MachineRequests {
  #unanswered = 0;
  #inside = 0;
  readonly #vcpus: VcpuRecord[] = [];
  /** While new requests are blocked: those that wait. */
  #waiting: Request[] | undefined;
  #onUnblocked: (() => void)[] = [];
  #onEmpty: (() => void) | undefined;
  #onIdle: (() => void)[] = [];

  constructor(readonly ports: MachinePorts) {}

  /** Requests that are not answered, waiting ones and control work included. */
  get unanswered(): number {
    return this.#unanswered;
  }

  get isBlocked(): boolean {
    return this.#waiting !== undefined;
  }

  /** How many requests of a vCPU are on its thread. */
  onThread(vcpu: number): number {
    return vcpu < this.#vcpus.length ? this.#vcpus[vcpu].onThread : 0;
  }

  // Waiting → inside → answered

  /** Performs a request now, or when new requests are no longer blocked. */
  admit(request: Request): void {
    request.record = this;
    this.#unanswered++;
    if (this.#waiting) this.#waiting.push(request);
    else this.#enter(request);
  }

  #enter(request: Request): void {
    request.state = INSIDE;
    this.#inside++;
    if (this.ports.isFrozen()) request.answer(GONE, 0, 0);
    else this.ports.perform(request);
  }

  /** Admits a request whose work is complete: it still has to be answered behind its events. */
  admitCompleted(request: Request): void {
    request.record = this;
    request.state = INSIDE;
    this.#unanswered++;
    this.#inside++;
  }

  /** Admits a request that is already in the ring of its vCPU thread. */
  admitDispatched(request: Request): void {
    this.admitCompleted(request);
    this.#count(request);
  }

  /** Sends a request that is inside to its vCPU thread, behind a pending step of its vCPU. */
  dispatch(request: Request): void {
    this.#send(this.#count(request), request);
  }

  #count(request: Request): VcpuRecord {
    while (this.#vcpus.length <= request.vcpu) this.#vcpus.push({ onThread: 0, behindStep: undefined });
    const vcpu = this.#vcpus[request.vcpu];
    vcpu.onThread++;
    request.onThread = true;
    return vcpu;
  }

  #send(vcpu: VcpuRecord, request: Request): void {
    if (vcpu.behindStep) {
      vcpu.behindStep.push(request);
      return;
    }
    if (request.operation === STEP) vcpu.behindStep = [];
    this.ports.submit(request);
  }

  /** Called once for each request that was admitted. */
  finish(request: Request): void {
    request.state = ANSWERED;
    if (request.onThread) this.#vcpus[request.vcpu].onThread--;
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty?.();
    request.done(request);
    this.#end();
    if (request.onThread && request.operation === STEP) this.#finishStep(this.#vcpus[request.vcpu]);
  }

  #finishStep(vcpu: VcpuRecord): void {
    // Includes what the answer of the step sent.
    const behind = vcpu.behindStep ?? [];
    vcpu.behindStep = undefined;
    // One of these may be a step, behind which the others wait again.
    for (const request of behind) this.#send(vcpu, request);
  }

  #end(): void {
    this.#unanswered--;
    if (this.#unanswered > 0 || this.#onIdle.length === 0) return;
    for (const idle of this.#onIdle.splice(0)) idle();
  }

  /** Counts other work on the machine as unanswered until it settles. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#unanswered++;
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  // Exclusive use of the machine

  /** Lets new requests wait until `unblock`. Requests must not be blocked yet. */
  block(): void {
    this.#waiting = [];
    this.#unanswered++;
  }

  /** Lets the requests in that wait; returns how many. */
  unblock(): number {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#onEmpty = undefined;
    for (const request of waiting) this.#enter(request);
    for (const unblocked of this.#onUnblocked.splice(0)) unblocked();
    this.#end();
    return waiting.length;
  }

  /** Resolves when requests are no longer blocked. Check `isBlocked` again: another caller may have been faster. */
  whenUnblocked(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isBlocked) this.#onUnblocked.push(resolve);
      else resolve();
    });
  }

  /** Resolves when no request is inside any more, or with `hang`, if some never leave. For use while blocked. */
  async whenEmpty(hang: Promise<unknown>): Promise<void> {
    if (this.#inside === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    await Promise.race([empty, hang]);
  }

  /** Resolves when everything is answered, or with `hang`. */
  async whenIdle(hang: () => Promise<unknown>): Promise<void> {
    if (this.#unanswered === 0) return;
    const idle = new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await Promise.race([idle, hang()]);
  }
}
