/** Burst: the frames of this part of a second. */
const BURST_S = 0.1;

/**
 * Limits one client to so many frames a second. A client that sends faster is not refused: the server stops reading from
 * it until the excess is paid off.
 */
export class RateLimiter {
  /** Negative: frames that came too early. */
  #left: number;
  #since = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly perSecond: number,
    /** Called when more may be read. */
    readonly onFree: () => void,
  ) {
    this.#left = this.#burst;
  }

  /** Nothing may be read for now. */
  get exhausted(): boolean {
    return this.#timer !== undefined;
  }

  /** Counts a frame. Reads the clock only when a burst is used up. */
  count(): void {
    if (--this.#left >= 0 || this.#timer) return;
    this.#refill();
    if (this.#left < 0) this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  get #burst(): number {
    return Math.max(1, Math.floor(this.perSecond * BURST_S));
  }

  #refill(): void {
    const now = performance.now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#since) * this.perSecond) / 1000);
    this.#since = now;
  }

  #wait(): void {
    const ms = Math.ceil((-this.#left * 1000) / this.perSecond);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#refill();
      if (this.#left < 0) this.#wait();
      else this.onFree();
    }, ms);
  }
}
