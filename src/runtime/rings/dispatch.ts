import { machineAt, type SharedMap } from '../threads/shared-map.js';
import { NONE, type Request } from './requests.js';
import type { SubmissionRing } from './submission-ring.js';

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
    readonly map: SharedMap,
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
    this.pending.push(request);
    // One that belongs to no machine does nothing, in any of them.
    this.ring.submit(request, machineAt(this.map, request.slot === NONE ? 0 : request.slot));
  }

  /** The request that the thread executes, if it has taken any. */
  get current(): Request | undefined {
    return this.pending[(this.ring.completed() - this.answered) | 0];
  }

  /** Whether all results of the thread are delivered. */
  get isHandedOver(): boolean {
    return this.ring.completed() === this.answered;
  }

  /** Removes the requests that the thread, which hangs or has died, did not answer: first the one that it executes. */
  takeUnanswered(): Request[] {
    const done = (this.ring.completed() - this.answered) | 0;
    return [...this.pending.splice(done), ...this.queue.splice(0)];
  }
}
