/** A thread that slept makes up for the holds of so much time. */
const LARGEST_DELAY_NS = 200_000;

/**
 * When a driver accesses the machine and when it holds the BQL for another device, in host time. An access starts at its
 * intended time even if the one before it ended later: what waits behind a slow access counts as slow, too. The times
 * in which the host wakes the thread late, and in which the vCPU itself is in another device, are no fault of a design:
 * the schedule moves by them.
 */
export class Schedule {
  #intended: number;
  #nextHold: number;
  /** From the begin of a hold to that of the next, and the length of each. */
  readonly #period: number;
  readonly #hold: number;

  /** `vcpu` staggers the holds of several threads. */
  constructor(
    begin: number,
    readonly interval: number,
    holds: { readonly ns: number; readonly share: number } | undefined,
    vcpu = 0,
  ) {
    this.#intended = interval === Number.POSITIVE_INFINITY ? interval : begin + interval;
    this.#period = holds ? holds.ns / holds.share : Number.POSITIVE_INFINITY;
    this.#hold = holds?.ns ?? 0;
    this.#nextHold = holds ? begin + (this.#period * (vcpu % 4)) / 4 : Number.POSITIVE_INFINITY;
  }

  /** The next access or hold; at full speed, that is now. */
  get next(): number {
    return this.interval === 0 ? 0 : Math.min(this.#intended, this.#nextHold);
  }

  isHoldDue(now: number): boolean {
    return now >= this.#nextHold;
  }

  /** The thread slept, because nothing was due, and woke up now. */
  woke(now: number): void {
    this.#intended = Math.max(this.#intended, now);
  }

  /** The vCPU was in another device from `from` to `until`. Waiting for it moves the holds that follow. */
  held(from: number, until: number): void {
    const waited = until - from - this.#hold;
    this.#nextHold = Math.max(this.#nextHold + this.#period + waited, until - LARGEST_DELAY_NS);
    if (this.#intended <= from) this.#intended += until - from;
    else this.#intended = Math.max(this.#intended, until);
  }

  /** An access begins now; returns its intended start, which may have passed. */
  begin(now: number): number {
    if (this.interval === 0) return now;
    const start = Math.min(this.#intended, now);
    this.#intended += this.interval;
    return start;
  }
}
