import { Polling } from './polling.js';

/**
 * One request at a time from the thread that waits to the thread that has the socket, and what came for it, in shared
 * memory. Requests are counted: `taken` says which were passed on, `done` which have their answer in the inbox.
 */

/** What a request asks of the thread that has the socket. */
export const POST = 0;
/** Send the frame; done with its reply. */
export const CALL = 1;
/** Done at once, with the events that wait. */
export const POLL = 2;
/** Done with the first event. */
export const AWAIT_EVENT = 3;

const REQUEST = 0;
const TAKEN = 1;
const DONE = 2;
const KIND = 3;
const FRAME_BYTES = 4;
const INBOX_BYTES = 5;
/** More events wait than found room. */
const MORE = 6;
/** Of the request that a frame holds. */
const ID = 7;
/** The thread that has the socket looks for a request, and need not be woken. */
const LOOKING = 8;
const WORDS = 16;

export const FRAME_ROOM = 262_144;
const INBOX_ROOM = 1_048_576;

/** For how long the next request is looked for: a caller in a row of calls wakes up and makes it within that. */
const REQUEST_MS = 0.15;
/** A sleep up to this long may be all wake-ups: four of up to 100 µs between the cores of a virtual machine. */
export const SHORT_MS = 0.5;
/** Looks between two at the clock. */
const LOOKS = 50;

export class Mailbox {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #frame: Uint8Array<SharedArrayBuffer>;
  readonly #inbox: Uint8Array<SharedArrayBuffer>;
  readonly #view: DataView;
  readonly #next = new Polling(REQUEST_MS, SHORT_MS);
  /** When the last request was passed on, or done. */
  #freeAt = 0;

  constructor(readonly buffer = new SharedArrayBuffer(4 * WORDS + FRAME_ROOM + INBOX_ROOM)) {
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#frame = new Uint8Array(buffer, 4 * WORDS, FRAME_ROOM);
    this.#inbox = new Uint8Array(buffer, 4 * WORDS + FRAME_ROOM, INBOX_ROOM);
    this.#view = new DataView(buffer, 4 * WORDS + FRAME_ROOM, INBOX_ROOM);
  }

  // The side that waits

  /** Hands a request over, after the one before it was taken; false if that takes longer than `timeout` ms. */
  request(kind: number, id: number, frame: Uint8Array, timeout: number): boolean {
    const words = this.#words;
    if (!this.#reaches(TAKEN, words[REQUEST], timeout)) return false;
    this.#frame.set(frame);
    words[FRAME_BYTES] = frame.length;
    words[KIND] = kind;
    words[ID] = id;
    Atomics.add(words, REQUEST, 1);
    if (Atomics.load(words, LOOKING) === 0) Atomics.notify(words, REQUEST);
    return true;
  }

  /** Waits for the end of the last request; false after `timeout` ms. */
  awaitDone(timeout: number): boolean {
    return this.#reaches(DONE, this.#words[REQUEST], timeout);
  }

  get hasMore(): boolean {
    return this.#words[MORE] !== 0;
  }

  /** Copies of the frames that came with the end of the last request, in order. */
  frames(): Uint8Array[] {
    const end = this.#words[INBOX_BYTES];
    const frames: Uint8Array[] = [];
    for (let at = 0; at < end; ) {
      const length = this.#view.getUint32(at, true);
      frames.push(this.#inbox.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return frames;
  }

  #reaches(word: number, value: number, timeout: number): boolean {
    const words = this.#words;
    const end = performance.now() + timeout;
    for (let current = Atomics.load(words, word); current !== value; current = Atomics.load(words, word)) {
      const left = end - performance.now();
      if (left <= 0) return false;
      Atomics.wait(words, word, current, left);
    }
    return true;
  }

  // The side that has the socket

  /** Number of the last request. */
  get requests(): number {
    return Atomics.load(this.#words, REQUEST);
  }

  /**
   * Looks for other requests than `seen`, while they come one soon after the other, and returns whether there are any.
   * Whoever makes one meanwhile wakes nobody; one that comes as this ends is seen at the last look, or wakes as any other.
   */
  look(seen: number): boolean {
    if (!this.#next.isWorthwhile) return false;
    const words = this.#words;
    Atomics.store(words, LOOKING, 1);
    const end = performance.now() + this.#next.duration;
    do {
      for (let look = 0; look < LOOKS && Atomics.load(words, REQUEST) === seen; look++);
    } while (Atomics.load(words, REQUEST) === seen && performance.now() < end);
    Atomics.store(words, LOOKING, 0);
    return Atomics.load(words, REQUEST) !== seen;
  }

  /** Resolves when there are other requests than `seen`. */
  async nextRequest(seen: number): Promise<void> {
    const { async, value } = Atomics.waitAsync(this.#words, REQUEST, seen);
    if (async) await value;
  }

  get kind(): number {
    return this.#words[KIND];
  }

  get id(): number {
    return this.#words[ID] >>> 0;
  }

  /** A copy of the request's frame. */
  frame(): Uint8Array {
    return this.#frame.slice(0, this.#words[FRAME_BYTES]);
  }

  taken(request: number): void {
    const now = performance.now();
    this.#next.waited(now - this.#freeAt);
    this.#freeAt = now;
    Atomics.store(this.#words, TAKEN, request);
    Atomics.notify(this.#words, TAKEN);
  }

  /** Ends a request with as many of the first of these frames as find room; returns how many. */
  done(request: number, frames: readonly Uint8Array[]): number {
    let at = 0;
    let count = 0;
    for (const frame of frames) {
      if (at + 4 + frame.length > INBOX_ROOM) break;
      this.#view.setUint32(at, frame.length, true);
      this.#inbox.set(frame, at + 4);
      at += 4 + frame.length;
      count++;
    }
    this.#words[INBOX_BYTES] = at;
    this.#words[MORE] = count < frames.length ? 1 : 0;
    this.#freeAt = performance.now();
    Atomics.store(this.#words, DONE, request);
    Atomics.notify(this.#words, DONE);
    return count;
  }
}
