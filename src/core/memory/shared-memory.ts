import { hrtime } from 'node:process';
import type { Memory } from './memory.js';

/** A short section ends within so many looks, and parking costs a wake-up (docs/decisions/03-a-barging-mutex-that-polls-before-it-parks.md). */
const SPIN_LOOKS = 200;

/** The seam in production: typed arrays and Atomics over one SharedArrayBuffer. */
export class SharedMemory implements Memory {
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  base: number;

  /** Memory of its own for one thread, zeroed. */
  static ofWords(words: number): SharedMemory {
    return new SharedMemory(new SharedArrayBuffer(words * 4));
  }

  constructor(
    readonly buffer: SharedArrayBuffer,
    base = 0,
  ) {
    this.#words = new Int32Array(buffer);
    this.#times = new Float64Array(buffer);
    this.base = base;
  }

  get(address: number): number {
    return this.#words[this.base + address];
  }

  set(address: number, value: number): void {
    this.#words[this.base + address] = value;
  }

  getTime(address: number): number {
    return this.#times[(this.base + address) >> 1];
  }

  setTime(address: number, value: number): void {
    this.#times[(this.base + address) >> 1] = value;
  }

  load(address: number): number {
    return Atomics.load(this.#words, this.base + address);
  }

  store(address: number, value: number): void {
    Atomics.store(this.#words, this.base + address, value);
  }

  exchange(address: number, value: number): number {
    return Atomics.exchange(this.#words, this.base + address, value);
  }

  compareExchange(address: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.#words, this.base + address, expected, value);
  }

  add(address: number, value: number): number {
    return Atomics.add(this.#words, this.base + address, value);
  }

  or(address: number, value: number): number {
    return Atomics.or(this.#words, this.base + address, value);
  }

  wait(address: number, expected: number, timeout?: number): void {
    Atomics.wait(this.#words, this.base + address, expected, timeout === undefined ? undefined : timeout / 1e6);
  }

  notify(address: number, count: number): void {
    Atomics.notify(this.#words, this.base + address, count);
  }

  spin(address: number, value: number): void {
    const words = this.#words;
    const index = this.base + address;
    for (let look = 0; look < SPIN_LOOKS && Atomics.load(words, index) === value; look++);
  }

  hostTime(): number {
    // Imported, and by index: the getter of the global, and the iterator of destructuring, cost a sixth and a third of the call.
    const time = hrtime();
    return time[0] * 1e9 + time[1];
  }

  select(base: number): void {
    this.base = base;
  }

  /** For the gateway, which may not block: resolves when the word is no longer `expected`, or was notified. */
  waitAsync(address: number, expected: number): Promise<unknown> | undefined {
    const result = Atomics.waitAsync(this.#words, this.base + address, expected);
    return result.async ? result.value : undefined;
  }
}
