/** What may come at once: the frames of this part of a second. */
const BURST_S = 0.1;

/**
 * Holds one client to so many frames a second. One that sends faster is not refused, but read no further for a while: what
 * it has sent too much, it waits for.
 */
export class FramePace {
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

  /** Counts a frame. The clock is only looked at when a burst is used up. */
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
