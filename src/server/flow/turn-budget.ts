/** Frames and accesses that the gateway handles for one machine in one turn of its event loop. */
export const WORK_PER_TURN = 2048;

/**
 * What the gateway may do for one machine in one turn of its event loop. Work beyond it continues in a later turn, so that
 * the sockets of one machine do not keep the gateway from all others.
 */
export class TurnBudget {
  #left = WORK_PER_TURN;
  #isRefilling = false;
  #waiting: (() => void)[] = [];

  /** Whether work waits for a later turn: new work goes behind it. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes as much of the wanted work as this turn has left; returns how much. */
  take(wanted: number): number {
    const taken = Math.min(wanted, this.#left);
    this.#left -= taken;
    // Work that is spread over many turns never comes to the end, and costs one callback per half.
    if (this.#left <= WORK_PER_TURN / 2) this.#refillLater();
    return taken;
  }

  /** Calls `resume` once, in a later turn, behind those that asked before. */
  later(resume: () => void): void {
    this.#waiting.push(resume);
    this.#refillLater();
  }

  #refillLater(): void {
    if (this.#isRefilling) return;
    this.#isRefilling = true;
    setImmediate(() => this.#refill());
  }

  #refill(): void {
    this.#isRefilling = false;
    this.#left = WORK_PER_TURN;
    const waiting = this.#waiting;
    this.#waiting = [];
    let resumed = 0;
    for (; resumed < waiting.length && this.#left > 0; resumed++) waiting[resumed]();
    this.#waiting = [...waiting.slice(resumed), ...this.#waiting];
    if (this.isBusy) this.#refillLater();
  }
}
