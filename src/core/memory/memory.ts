/**
 * The seam: the only way from device, lock and ring code to state that threads share, and to the host's clock.
 *
 * Addresses are indices of 32-bit words, relative to `base`. Two kinds of access are kept apart:
 *
 * - *data* (`get`, `set`, `getTime`, `setTime`): plain accesses. The caller holds the guard of that field.
 * - *synchronisation words* (all others): sequentially consistent atomics; never accessed as data.
 *
 * In production this is `SharedMemory`. Under exploration the same callers run against a second implementation that
 * suspends a logical thread at each synchronising operation.
 */
export interface Memory {
  /** First word of what the addresses are relative to (even). */
  readonly base: number;

  /** Reads a 32-bit data word, as a signed number. */
  get(address: number): number;
  /** Writes the low 32 bits of `value` to a data word. */
  set(address: number, value: number): void;
  /** Reads a float64, which has a sign, from two data words; `address` is even. */
  getTime(address: number): number;
  /** Writes a float64 into two data words; `address` is even. */
  setTime(address: number, value: number): void;

  load(address: number): number;
  store(address: number, value: number): void;
  /** Returns the old value, as do the three below. */
  exchange(address: number, value: number): number;
  compareExchange(address: number, expected: number, value: number): number;
  add(address: number, value: number): number;
  or(address: number, value: number): number;

  /**
   * Blocks while the word is `expected`, until a `notify` or the end of `timeout` (nanoseconds, at most 2^53).
   * May return early: callers recheck their condition.
   */
  wait(address: number, expected: number, timeout?: number): void;
  /** Wakes at most `count` waiters of the word. */
  notify(address: number, count: number): void;
  /** Looks at the word a bounded number of times while it is `value`: waiting for a short section without blocking. */
  spin(address: number, value: number): void;

  /**
   * The host's monotonic clock in nanoseconds, not below 0; the same origin in all threads. It starts at about 0 with the
   * host and stands still while the host is suspended: a restored machine may be older than it.
   */
  hostTime(): number;

  /** Moves the base, so that one object serves every machine of a thread in turn. */
  select(base: number): void;
}
