import type { EventLog, LoggedRecord } from '../../src/server/cluster/events/event-log.js';
import { Conflict } from '../../src/server/cluster/store.js';
import type { World } from '../server/cluster/simulation/world.js';

/** A stream whose operations take time and may be lost on the way, before or after they were applied. */
export class SimulatedLog implements EventLog {
  readonly records: (LoggedRecord & { readonly machine: string })[] = [];
  /** ms for one direction. */
  delay = 1;
  /** Probability that a request or an answer is lost. */
  loss = 0;
  /** Requests are not answered at all. */
  isDown = false;
  inFlight = 0;
  mostInFlight = 0;

  constructor(readonly world: World) {}

  #lastOf(machine: string): LoggedRecord | undefined {
    return this.records.findLast((record) => record.machine === machine);
  }

  /** `apply` is called when the request arrives; a lost request may arrive later. */
  #exchange<T>(apply: () => T): Promise<T> {
    const { world } = this;
    return new Promise((resolve, reject) => {
      world.schedule(20 * this.delay, undefined, () => reject(new Error('timeout')));
      const isLate = world.chance(this.loss);
      if (isLate && world.chance(0.5)) return;
      world.schedule(this.delay * (isLate ? world.between(1, 60) : 1), undefined, () => {
        if (this.isDown) return;
        const isLost = world.chance(this.loss);
        try {
          const result = apply();
          if (!isLost) world.schedule(this.delay, undefined, () => resolve(result));
        } catch (error) {
          if (!isLost) world.schedule(this.delay, undefined, () => reject(error));
        }
      });
    });
  }

  last(machine: string): Promise<LoggedRecord | undefined> {
    return this.#exchange(() => this.#lastOf(machine));
  }

  async append(machine: string, data: Uint8Array, expected: number): Promise<number> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      return await this.#exchange(() => {
        if ((this.#lastOf(machine)?.position ?? 0) !== expected) throw new Conflict(machine);
        // Positions are of the whole stream, so that those of a machine have holes.
        const position = (this.records.at(-1)?.position ?? 0) + 1 + this.world.random.below(3);
        this.records.push({ machine, position, data });
        return position;
      });
    } finally {
      this.inFlight--;
    }
  }

  /** Those that are there now. */
  async *read(machine: string, from: number): AsyncGenerator<LoggedRecord> {
    yield* this.records.filter((record) => record.machine === machine && record.position >= from);
  }
}
