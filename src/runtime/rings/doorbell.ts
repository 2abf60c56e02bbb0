import type { Memory } from '../../core/memory/memory.js';

export const DOORBELL_WORDS = 16;

const RINGS = 0;
const ASLEEP = 1;

/** Wakes a sleeper that looks at many places for work. Ringing costs one load while the sleeper is awake. */
export class Doorbell {
  constructor(
    readonly memory: Memory,
    readonly at: number,
  ) {}

  ring(): void {
    const { memory, at } = this;
    if (memory.load(at + ASLEEP) && memory.exchange(at + ASLEEP, 0)) {
      memory.add(at + RINGS, 1);
      memory.notify(at + RINGS, 1);
    }
  }

  /** Rings whatever the words say: who was about to may have died after it took the mark. */
  ringAgain(): void {
    this.memory.add(this.at + RINGS, 1);
    this.memory.notify(this.at + RINGS, 1);
  }

  /**
   * Announces that the caller is about to sleep. It looks for work once more after this, and then waits while the word
   * at `rings` is what this returns: threads with earlier work have rung, and later ones will.
   */
  prepareToSleep(): number {
    const rings = this.memory.load(this.at + RINGS);
    this.memory.store(this.at + ASLEEP, 1);
    return rings;
  }

  wake(): void {
    this.memory.store(this.at + ASLEEP, 0);
  }

  /** Whether the sleeper sleeps, or is about to, and nobody has rung since. */
  get isAsleep(): boolean {
    return this.memory.load(this.at + ASLEEP) !== 0;
  }

  get rings(): number {
    return this.at + RINGS;
  }

  /** Sleeps until rung, or for `timeout` ns. */
  sleep(rings: number, timeout?: number): void {
    this.memory.wait(this.at + RINGS, rings, timeout);
    this.wake();
  }
}
