import { Polling } from './polling.js';
import { POSITION_WORDS, type QueueRecord, RecordQueue } from './record-queue.js';

/**
 * Between the thread that makes blocking calls and the thread that has the socket, in shared memory: a queue of requests
 * one way, a queue of everything that arrived the other way.
 */

/** Kinds of requests. A frame to be sent: one whose reply the caller waits for, and one that has none. */
export const CALL = 0;
export const POST = 1;
/** A call that is to be repeated on each later connection. */
export const SUBSCRIBE = 2;
/** The caller waits no longer for the reply of this id: if the request was not sent yet, it is not to be. */
export const CANCEL = 3;
/** The caller makes no more requests. */
export const CLOSE = 4;

/**
 * Kinds of what arrives: an answer, as the server's frame; a message of the other thread, as JSON; why nothing more arrives, as
 * JSON; an event, as the server's frame; what stands for events that found no room, as JSON.
 */
export const FRAME = 0;
export const MESSAGE = 1;
export const END = 2;
export const EVENT = 3;
export const LEFT_OUT = 4;

/** Counts requests, and room made in the inbox for a thread that waits for it. */
const BELL = 2 * POSITION_WORDS;
/** The thread that has the socket looks at the bell, and need not be woken. */
const LOOKING = BELL + 1;
/** What arrived waits for room in the inbox. */
const WANTS_ROOM = BELL + 2;
/** The caller sleeps until an event arrives. */
const HALTED = BELL + 3;
/** Events that the caller has taken, modulo 2^32. */
const TAKEN = BELL + 4;
const WORDS = 16;

const REQUEST_ROOM = 262_144;
export const INBOX_ROOM = 1_048_576;

/** For how long the next request is looked for: a caller in a row of calls wakes up and makes it within that. */
const REQUEST_MS = 0.15;
/** A sleep up to this long may be all wakeups: four of up to 100 µs between the cores of a virtual machine. */
export const SHORT_MS = 0.5;
/** Looks between two at the clock. */
const LOOKS = 50;

export class Mailbox {
  /** What arrived, for the caller. */
  readonly inbox: RecordQueue;
  readonly #requests: RecordQueue;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #next = new Polling(REQUEST_MS, SHORT_MS);
  /** When the last request was taken, or its reply left. */
  #freeAt = 0;

  constructor(readonly buffer = new SharedArrayBuffer(4 * WORDS + REQUEST_ROOM + INBOX_ROOM)) {
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#requests = new RecordQueue(buffer, 0, 4 * WORDS, REQUEST_ROOM);
    this.inbox = new RecordQueue(buffer, 4 * POSITION_WORDS, 4 * WORDS + REQUEST_ROOM, INBOX_ROOM);
  }

  // The caller

  /** Leaves a request; false if there is no room for it within `timeout` ms. */
  request(kind: number, id: number, body: Uint8Array, timeout: number): boolean {
    const end = performance.now() + timeout;
    while (!this.#requests.hasRoomFor(body)) {
      const left = end - performance.now();
      if (left <= 0) return false;
      this.#requests.awaitRoom(body, left);
    }
    this.#requests.push(kind, id, body);
    this.#ring();
    return true;
  }

  /** The next of what arrived. */
  take(): QueueRecord | undefined {
    const record = this.inbox.take();
    if (Atomics.load(this.#words, WANTS_ROOM) !== 0) this.#ring();
    return record;
  }

  /** Sleeps until more arrives than was taken, for up to `ms`. */
  awaitMore(ms: number): void {
    this.inbox.awaitRecord(ms);
  }

  /** The same, where the caller waits for no reply. */
  halt(ms: number): void {
    Atomics.store(this.#words, HALTED, 1);
    this.inbox.awaitRecord(ms);
    Atomics.store(this.#words, HALTED, 0);
  }

  /** The caller has taken one more event. */
  took(): void {
    Atomics.add(this.#words, TAKEN, 1);
  }

  #ring(): void {
    Atomics.add(this.#words, BELL, 1);
    if (Atomics.load(this.#words, LOOKING) === 0) Atomics.notify(this.#words, BELL);
  }

  // The thread that has the socket

  /** Differs from an earlier value if there is something to do since. */
  get bell(): number {
    return Atomics.load(this.#words, BELL);
  }

  /** Resolves when the bell differs from `seen`. */
  async rung(seen: number): Promise<void> {
    const { async, value } = Atomics.waitAsync(this.#words, BELL, seen);
    if (async) await value;
  }

  /**
   * Looks at the bell while requests come one soon after the other, and returns whether it differs from `seen`. A caller
   * that rings meanwhile has nobody to wake; one that rings as this ends is seen by the last look, or wakes this thread.
   */
  look(seen: number): boolean {
    if (!this.#next.isWorthwhile) return false;
    const words = this.#words;
    Atomics.store(words, LOOKING, 1);
    const end = performance.now() + this.#next.duration;
    do {
      for (let look = 0; look < LOOKS && Atomics.load(words, BELL) === seen; look++);
    } while (Atomics.load(words, BELL) === seen && performance.now() < end);
    Atomics.store(words, LOOKING, 0);
    return Atomics.load(words, BELL) !== seen;
  }

  /** Calls `take` with every request that is there. */
  takeRequests(take: (request: QueueRecord) => void): void {
    for (let request = this.#requests.take(); request; request = this.#requests.take()) {
      const now = performance.now();
      this.#next.waited(now - this.#freeAt);
      this.#freeAt = now;
      take(request);
    }
    this.#requests.wakeWriter();
  }

  /** Events that the caller has taken, modulo 2^32. */
  get taken(): number {
    return Atomics.load(this.#words, TAKEN);
  }

  /** The caller has what it waits for, and may soon make its next request. */
  answered(): void {
    this.#freeAt = performance.now();
  }

  /** Whether the caller is woken by an event. */
  get isHalted(): boolean {
    return Atomics.load(this.#words, HALTED) !== 0;
  }

  /** Whether the caller is to ring when it makes room in the inbox. Look for room once more after it was set. */
  set wantsRoom(wanted: boolean) {
    Atomics.store(this.#words, WANTS_ROOM, Number(wanted));
  }
}
