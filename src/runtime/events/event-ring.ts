import type { EventSink } from '../../core/machine/events.js';
import { type EventWords, emptyEvent } from '../../core/memory/event-words.js';
import type { Protection } from '../../core/memory/layout.js';
import type { Memory } from '../../core/memory/memory.js';
import type { EventShares } from './event-shares.js';

/**
 * More than one access or callback can emit. Turning the HPET off settles two expiries of each of 24 timers. A pulse emits
 * up to six events: the line, INTR, the message and INTR after its acknowledge cycle, and line and INTR again. Requests
 * that waited on all 24 pins, and the lines of legacy mode, add 72 more. Under `try-queue` a thread also applies up to 64
 * pulses that others have queued.
 */
export const LARGEST_BURST = 1024;

/** Words of a ring: positions of the next event to deliver, and of the next to reserve. */
export const HEAD = 0;
export const TAIL = 1;
/**
 * Producers that wait for HEAD to move, as they emit more than a burst. Only they change it: a mark that the consumer
 * clears could be the mark of a producer that waits for the *next* move. A thread that is ended while it waits leaves the
 * count too high, which costs one idle notify per drain. Added to it, DEFERRED: the due work of some machine is deferred
 * until HEAD moves.
 */
export const WAITERS = 2;
const DEFERRED = 0x10000;
/** Records start on a cache line of their own. */
const RECORDS = 16;

/** Offsets in a record. COMPLETE holds 1 + the record's position once the rest is written. */
const COMPLETE = 0;
const MACHINE = 1;
const KIND_AND_CAUSE = 2;
const A = 3;
const B = 4;
const C = 5;
/** Virtual ns from 0. */
const VIRTUAL_TIME = 6;
/** Virtual ns from 0, or -1 if no timer caused the event. */
const DEADLINE = 8;
const RECORD_WORDS = 10;

/** The gateway emitted more than it looked for room for, and the ring is full. Only the gateway itself could make room. */
export class EventRingOverrunError extends Error {
  override readonly name = 'EventRingOverrunError';
  readonly code = 'event-ring-overrun';

  constructor(burst: number) {
    super(`one access on the gateway emits more than ${burst} events; the event ring has no room for more`);
  }
}

/** In the place of a machine, for an event that was never completed. */
const NO_MACHINE = -1;
/** And for room that does not depend on the share of a machine. */
export const ANY_MACHINE = -1;

export function eventRingWords(capacity: number): number {
  return RECORDS + capacity * RECORD_WORDS;
}

/** What protects a word of the ring, by its offset. */
export function eventRingProtection(offset: number): Protection {
  return offset < RECORDS || (offset - RECORDS) % RECORD_WORDS === COMPLETE ? 'sync' : 'ring';
}

/** The event that a thread completes when it stores to the word at `address`; undefined for any other word. */
export function eventCompletedAt(
  memory: Memory,
  ring: number,
  capacity: number,
  address: number,
): EventWords | undefined {
  const offset = address - ring - RECORDS;
  if (offset < 0 || offset >= capacity * RECORD_WORDS || offset % RECORD_WORDS !== COMPLETE) return undefined;
  const [kindAndCause, a, b, c] = [KIND_AND_CAUSE, A, B, C].map((field) => memory.get(address - COMPLETE + field));
  return { ...emptyEvent(), kind: kindAndCause & 0xff, cause: kindAndCause >> 8, a, b, c };
}

export interface MachineEvent extends EventWords {
  /** Among all events, modulo 2^32. */
  position: number;
}

/**
 * The event ring: the events of all machines, in one order, from any thread to the gateway. A producer reserves a position
 * without a lock, while it holds what protects the state that the event reports; so the order of events is the order of
 * changes.
 *
 * No record is overwritten before the gateway has read it. A producer emits only what it has an allowance for, of `burst`
 * events at most. It gets one where there is room for a burst of *every* producer: those that got theirs earlier have at
 * most a burst left each, so all of them find room. It asks for one before it begins a path (`hasRoom`), and turns to
 * other machines if there is none: no producer waits for the share of a machine.
 */
export class EventRing implements EventSink {
  /** Set by `emit`, for the code that rings the gateway's doorbell after all locks are released. */
  emitted = false;
  /** Absolute address of a word that is 1 while this thread writes an event: for `giveUp`. 0: there is none. */
  claim = 0;

  /** Called when a producer finds no room: the gateway, which makes room, may be asleep with events in the ring. */
  onFull: () => void = () => {};

  /** Called on the gateway for a machine whose due work was deferred, after events were delivered. */
  onRoom: (machine: number) => void = () => {};

  /** Called before and after each wait for room for another burst. */
  onWait: (isWaiting: boolean) => void = () => {};

  /** Events that this thread may emit before it has to look for room. */
  #allowance = 0;

  readonly #event: MachineEvent = { position: 0, ...emptyEvent() };

  constructor(
    readonly memory: Memory,
    readonly address: number,
    /** Records, a power of two. */
    readonly capacity: number,
    /** Threads that may emit at the same time, each up to `burst` after it found room. */
    readonly producers: number,
    /** False for the gateway: it alone makes room, and cannot wait for itself. */
    readonly waits = true,
    /** Events that a path may emit before it has to look for room again; those of an access or callback, if it can be. */
    readonly burst = LARGEST_BURST,
    /** What each machine uses; without, all machines have the same right to all of the ring. */
    readonly shares?: EventShares,
  ) {}

  emit(machine: number, event: Readonly<EventWords>): number {
    const { memory, claim } = this;
    if (this.#allowance === 0) this.#extend();
    this.#allowance--;
    this.shares?.emits(machine);
    if (claim) memory.set(claim, 1);
    const position = memory.add(this.address + TAIL, 1);
    const record = this.#record(position);
    memory.set(record + MACHINE, machine);
    memory.set(record + KIND_AND_CAUSE, event.kind | (event.cause << 8));
    memory.set(record + A, event.a);
    memory.set(record + B, event.b);
    memory.set(record + C, event.c);
    memory.setTime(record + VIRTUAL_TIME, event.virtualTime);
    memory.setTime(record + DEADLINE, event.deadline);
    memory.store(record + COMPLETE, (position + 1) | 0);
    if (claim) memory.set(claim, 0);
    this.emitted = true;
    // This producer rings only when its path ends, and its path may depend on a producer that waits for room. The ring
    // of that one came too early if the gateway stopped at this record then.
    if (memory.load(this.address + WAITERS)) this.onFull();
    return position;
  }

  /** Whether there is room for a burst of a machine, which this thread may emit then. */
  hasRoom(machine: number): boolean {
    return this.#grantAfter(this.memory.load(this.address + HEAD), machine);
  }

  /** As `hasRoom`. If not, the due work of the machine is deferred: `onRoom` is called for it once events are delivered. */
  admits(machine: number): boolean {
    const { memory } = this;
    if (this.hasRoom(machine)) return true;
    this.shares?.defer(machine);
    memory.or(this.address + WAITERS, DEFERRED);
    this.onFull();
    // The gateway may have delivered events before it could see the mark.
    return this.hasRoom(machine);
  }

  /** `head` was read before: it may have moved on since, and there is more room. */
  #grantAfter(head: number, machine: number): boolean {
    const { shares } = this;
    const used = (this.memory.load(this.address + TAIL) - head) | 0;
    const reserved = this.producers * this.burst;
    if (this.capacity - used < reserved) return false;
    // All producers may be about to emit a burst beyond the shares of their machines.
    const room = this.capacity - 2 * reserved;
    if (shares && machine !== ANY_MACHINE && !shares.allows(machine, used, room)) return false;
    this.#allowance = this.burst;
    return true;
  }

  /**
   * The path emits more than a burst. Another thread than the gateway waits for room, with whatever locks it holds: the
   * gateway waits for none. The gateway cannot wait for itself.
   */
  #extend(): void {
    if (this.waits) this.awaitRoom();
    else if (!this.hasRoom(ANY_MACHINE)) throw new EventRingOverrunError(this.burst);
  }

  /** Waits for room for another burst. */
  awaitRoom(): void {
    const { memory } = this;
    for (;;) {
      const head = memory.load(this.address + HEAD);
      if (this.#grantAfter(head, ANY_MACHINE)) return;
      memory.add(this.address + WAITERS, 1);
      this.onFull();
      this.onWait(true);
      memory.wait(this.address + HEAD, head);
      this.onWait(false);
      memory.add(this.address + WAITERS, -1);
    }
  }

  /** Position behind the last event that was begun. */
  tail(): number {
    return this.memory.load(this.address + TAIL);
  }

  // The gateway's side

  head(): number {
    return this.memory.load(this.address + HEAD);
  }

  hasEvents(): boolean {
    const head = this.head();
    return this.memory.load(this.#record(head) + COMPLETE) === ((head + 1) | 0);
  }

  /**
   * Passes over the events before `position` that are incomplete. Their writers are dead, and every other thread has
   * written no event at some moment since that was the tail.
   */
  giveUp(position: number): void {
    const { memory } = this;
    for (let lost = this.head(); ((position - lost) | 0) > 0; lost = (lost + 1) | 0) {
      const record = this.#record(lost);
      if (memory.load(record + COMPLETE) === ((lost + 1) | 0)) continue;
      memory.set(record + MACHINE, NO_MACHINE);
      memory.store(record + COMPLETE, (lost + 1) | 0);
    }
  }

  /** Hands over complete events in order, at most `limit`; returns how many. The event object is used again. */
  drain(limit: number, handle: (machine: number, event: MachineEvent) => void): number {
    const { memory } = this;
    const event = this.#event;
    let position = this.head();
    let count = 0;
    for (; count < limit; count++) {
      const record = this.#record(position);
      if (memory.load(record + COMPLETE) !== ((position + 1) | 0)) break;
      const kindAndCause = memory.get(record + KIND_AND_CAUSE);
      event.position = position;
      event.kind = kindAndCause & 0xff;
      event.cause = kindAndCause >> 8;
      event.a = memory.get(record + A);
      event.b = memory.get(record + B);
      event.c = memory.get(record + C);
      event.virtualTime = memory.getTime(record + VIRTUAL_TIME);
      event.deadline = memory.getTime(record + DEADLINE);
      const machine = memory.get(record + MACHINE);
      position = (position + 1) | 0;
      if (machine !== NO_MACHINE) this.shares?.delivers(machine);
      handle(machine, event);
    }
    if (count > 0) {
      memory.store(this.address + HEAD, position);
      // In this order: a producer that was not counted yet finds that HEAD has moved.
      const waiters = memory.load(this.address + WAITERS);
      if (waiters) memory.notify(this.address + HEAD, Number.MAX_SAFE_INTEGER);
      if (waiters & DEFERRED) this.#resume();
    }
    return count;
  }

  #resume(): void {
    // In this order: a machine that is deferred meanwhile leaves its mark, or is found here.
    this.memory.add(this.address + WAITERS, -DEFERRED);
    this.shares?.resume(this.onRoom);
  }

  #record(position: number): number {
    return this.address + RECORDS + (position & (this.capacity - 1)) * RECORD_WORDS;
  }
}
