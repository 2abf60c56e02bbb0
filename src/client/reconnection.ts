/** How a client comes back after its connection was lost. */
export interface Reconnection {
  /** Tries in a row that may fail; 0 never tries. Unlimited if not given. */
  readonly attempts?: number;
  /** Milliseconds before the second try; each wait is twice the one before, up to 5 s. 50 if not given. The first try is made at once. */
  readonly delayMs?: number;
}

const LONGEST_MS = 5000;

/** Counts tries to come back. */
export class Tries {
  #failed = 0;

  constructor(readonly options: Reconnection | false = {}) {}

  succeeded(): void {
    this.#failed = 0;
  }

  /** Waits before the next try; false if there is to be none. */
  async next(): Promise<boolean> {
    if (this.options === false) return false;
    const { attempts = Number.POSITIVE_INFINITY, delayMs = 50 } = this.options;
    if (this.#failed >= attempts) return false;
    const wait = this.#failed === 0 ? 0 : Math.min(LONGEST_MS, delayMs * 2 ** (this.#failed - 1));
    this.#failed++;
    await new Promise((resolve) => setTimeout(resolve, wait));
    return true;
  }
}
