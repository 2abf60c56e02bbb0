import type { SubmissionRing } from './submission-ring.js';

/** Called with a request's result: a status of `submission-ring.ts` and, of a read, the two halves of the value. */
export type Completion = (status: number, low: number, high: number) => void;

/** Requests that are executed in order, such as those of one vCPU. */
export interface Lane {
  /** Requests that are not answered yet. */
  inFlight: number;
  /** While a step is pending: what came after it, in order. */
  behindStep?: (() => void)[] | undefined;
}

/** A request on its way to a vCPU thread and back. */
export interface Request {
  readonly slot: number;
  readonly operation: number;
  readonly size: number;
  /** Word address of the machine. */
  readonly base: number;
  readonly address: number;
  readonly low: number;
  readonly high: number;
  readonly answer: Completion;
}

/** The gateway's side of one vCPU thread: what was submitted to it, in order, and what waits for room in its ring. */
export class Dispatch {
  /** Submitted and not answered, oldest first. */
  readonly pending: Request[] = [];
  readonly queue: Request[] = [];
  /** Position in the ring of the oldest of `pending`. */
  answered = 0;

  constructor(
    readonly thread: number,
    /** Which of the rings this is. */
    readonly ringIndex: number,
    readonly ring: SubmissionRing,
  ) {}

  /** Submits a request, or lets it wait for room; returns whether it was submitted. */
  send(request: Request): boolean {
    if (this.queue.length > 0 || !this.ring.hasRoom(this.pending.length)) {
      this.queue.push(request);
      return false;
    }
    this.#submit(request);
    return true;
  }

  /** Submits what waits, as far as there is room; returns whether there was anything. */
  sendQueued(): boolean {
    let sent = false;
    for (; this.queue.length > 0 && this.ring.hasRoom(this.pending.length); sent = true) {
      this.#submit(this.queue.shift() as Request);
    }
    return sent;
  }

  #submit(request: Request): void {
    const { operation, size, base, address, low, high } = request;
    this.pending.push(request);
    this.ring.submit(operation, size, base, address, low, high);
  }

  /** What the thread is at, if it has taken anything. */
  get current(): Request | undefined {
    return this.pending[(this.ring.completed() - this.answered) | 0];
  }

  /** Whether all results of the thread are delivered. */
  get isHandedOver(): boolean {
    return this.ring.completed() === this.answered;
  }

  /** Takes back what the thread, which hangs or is no more, did not answer: the request that it is in first. */
  abandon(): Request[] {
    const done = (this.ring.completed() - this.answered) | 0;
    return [...this.pending.splice(done), ...this.queue.splice(0)];
  }
}
