import type { EventShares } from '../events/event-shares.js';
import { machineAt, type SharedMap } from '../memory/shared-map.js';
import { NONE, Request } from '../rings/requests.js';
import { HELD, OK, SETTLE, type SubmissionRing, UNSETTLED } from '../rings/submission-ring.js';

/** Requests of one machine that the vCPU thread holds back until the event ring has room for it. */
interface HeldRequests {
  /** In order: what the thread returned, then what came later. */
  readonly returned: Request[];
  readonly later: Request[];
  /** In the ring, from where the thread will return them. */
  inRing: number;
}

/** In the place of a request that has left the ring before its result was delivered. */
const MOVED = new Request(NONE, NONE, SETTLE, 0, 0, 0, 0, () => {});

/** The gateway's side of one vCPU thread: what was submitted to it, in order, and what waits for room. */
export class Dispatch {
  /** Submitted and not answered, oldest first. */
  readonly pending: Request[] = [];
  /** Waits for room in the thread's ring. */
  readonly queue: Request[] = [];
  /** By slot of the machine. */
  readonly held = new Map<number, HeldRequests>();
  /** Position in the ring of the oldest of `pending`. */
  answered = 0;

  constructor(
    readonly thread: number,
    /** Which of the rings this is. */
    readonly ringIndex: number,
    readonly ring: SubmissionRing,
    /** Which of the vCPU threads this is, from 0. */
    readonly index: number,
    readonly shares: EventShares,
    readonly map: SharedMap,
  ) {}

  /** Submits a request, or lets it wait for room; returns whether it was submitted. */
  send(request: Request): boolean {
    const held = this.held.size > 0 ? this.held.get(request.slot) : undefined;
    if (held) {
      held.later.push(request);
      return false;
    }
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

  // Requests that the thread holds back

  /** Takes a request back if its result, at a position, is HELD or UNSETTLED; returns whether it did. */
  takeBack(request: Request, position: number): boolean {
    const status = this.ring.status(position);
    if (status !== HELD && status !== UNSETTLED) return false;
    if (request !== MOVED) this.#hold(request.slot, status === HELD ? request : this.#rest(request, position));
    return true;
  }

  #hold(slot: number, request: Request): void {
    let held = this.held.get(slot);
    if (held) held.inRing--;
    else {
      held = { returned: [], later: [], inRing: this.pending.filter((each) => each.slot === slot).length };
      for (const each of this.queue.splice(0)) (each.slot === slot ? held.later : this.queue).push(each);
      this.held.set(slot, held);
    }
    held.returned.push(request);
  }

  /** Removes what is held back, of the machines that have room: it is to be submitted again. */
  release(hasRoom: (slot: number) => boolean): Request[] {
    const released: Request[] = [];
    for (const [slot, { returned, later, inRing }] of this.held) {
      if (inRing > 0 || !hasRoom(slot)) continue;
      this.held.delete(slot);
      this.shares.release(slot, this.index);
      released.push(...returned, ...later);
    }
    return released;
  }

  /** What is left to do of a request with the result UNSETTLED. */
  #rest(request: Request, position: number): Request {
    const [low, high] = [this.ring.low(position), this.ring.high(position)];
    return new Request(request.slot, request.vcpu, SETTLE, 0, 0, 0, 0, ({ status }) =>
      request.answer(status, status === OK ? low : 0, status === OK ? high : 0),
    );
  }

  /** The request that the thread executes, if it has taken any. */
  get current(): Request | undefined {
    return this.pending[(this.ring.completed() - this.answered) | 0];
  }

  /** Whether all results of the thread are delivered. */
  get isDrained(): boolean {
    return this.ring.completed() === this.answered;
  }

  /**
   * Removes the requests that the thread, which hangs or has died, did not answer: first those that it held back, then the
   * one that it executes.
   */
  takeUnanswered(): Request[] {
    const done = (this.ring.completed() - this.answered) | 0;
    for (let i = 0; i < done; i++) {
      if (this.takeBack(this.pending[i], (this.answered + i) | 0)) this.pending[i] = MOVED;
    }
    const held = [...this.held.values()];
    this.held.clear();
    return [
      ...held.flatMap(({ returned }) => returned),
      ...this.pending.splice(done),
      ...held.flatMap(({ later }) => later),
      ...this.queue.splice(0),
    ];
  }
}
