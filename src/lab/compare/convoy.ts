import { LOCK_COUNT } from '../../core/sync/lock-names.js';
import { ThreadStatistics } from '../../runtime/statistics/thread-statistics.js';

/** Statistics of a driver, which also find its longest convoy: acquisitions of one lock in a row that each waited. */
export class ConvoyStatistics extends ThreadStatistics {
  longest = 0;
  /** Bit n: this thread waits, or has just waited, for lock n. */
  #waited = 0;
  readonly #rows = new Int32Array(LOCK_COUNT);

  /** Forgets all convoys. */
  restart(): void {
    this.longest = 0;
    this.#waited = 0;
    this.#rows.fill(0);
  }

  override contended(lock: number, site: number, held: number, address: number): void {
    this.#waited |= 1 << lock;
    super.contended(lock, site, held, address);
  }

  override acquired(lock: number, site: number): void {
    super.acquired(lock, site);
    if (this.#waited & (1 << lock)) {
      this.#waited &= ~(1 << lock);
      this.longest = Math.max(this.longest, ++this.#rows[lock]);
    } else {
      this.#rows[lock] = 0;
    }
  }
}
