interface Armed {
  readonly timer: number;
  /** Virtual ns, not below 0. */
  readonly deadline: bigint;
}

/** Timers of the HPET, and behind them the IOAPIC's one. */
export const STORM_TIMER = 24;

/** Armed deadlines in the order in which they come due; equal ones in the order of arming. */
export class Timers {
  armed: Armed[] = [];
  /** Per timer, how often it was armed or cancelled: a callback that was chosen finds out whether it is still wanted. */
  generations = new Array<number>(STORM_TIMER + 1).fill(1);

  clone(): Timers {
    const copy = new Timers();
    copy.armed = [...this.armed];
    copy.generations = [...this.generations];
    return copy;
  }

  /** A deadline below 0 counts as 0, but comes before all others. */
  arm(timer: number, deadline: bigint): void {
    this.cancel(timer);
    const found = this.armed.findIndex((other) => other.deadline > deadline);
    const place = found < 0 ? this.armed.length : found;
    this.armed.splice(place, 0, { timer, deadline: deadline < 0n ? 0n : deadline });
  }

  cancel(timer: number): void {
    this.generations[timer]++;
    this.armed = this.armed.filter((other) => other.timer !== timer);
  }

  deadlineOf(timer: number): bigint | undefined {
    return this.armed.find((other) => other.timer === timer)?.deadline;
  }

  /** The first deadline; undefined if none is armed. */
  get earliest(): bigint | undefined {
    return this.armed[0]?.deadline;
  }

  /** Takes the first timer off the list if its deadline has come. */
  take(now: bigint): number | undefined {
    const [first] = this.armed;
    if (!first || first.deadline > now) return undefined;
    this.armed.shift();
    return first.timer;
  }
}
