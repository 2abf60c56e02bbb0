import { LOCK_COUNT } from '../../../core/sync/lock-names.js';
import { lockAddress } from '../../../core/sync/locks.js';
import type { Execution } from '../execution.js';
import { ExploredMemory } from '../explored-memory.js';
import type { SeededBug } from './seeded-bug.js';

type Operations = Partial<Pick<ExploredMemory, 'notify' | 'exchange' | 'compareExchange'>>;

/** Words of a mutex of either kind. */
const MUTEX_WORDS = 3;

/** A seam in which `doubles` replace the operations on the words of some locks. */
export function onLockWords(
  isAffected: (lock: number) => boolean,
  doubles: Operations & ThisType<ExploredMemory>,
): SeededBug['options'] {
  return { memory: (execution) => new LockWordsDouble(execution, isAffected, doubles) };
}

class LockWordsDouble extends ExploredMemory {
  constructor(
    execution: Execution,
    readonly isAffected: (lock: number) => boolean,
    readonly doubles: Operations,
  ) {
    super(execution);
  }

  #isAffected(address: number): boolean {
    if (this.base === 0) return false;
    for (let lock = 0; lock < LOCK_COUNT; lock++) {
      const word = address - lockAddress(lock);
      if (word >= 0 && word < MUTEX_WORDS) return this.isAffected(lock);
    }
    return false;
  }

  override notify(address: number, count: number): void {
    if (this.doubles.notify && this.#isAffected(address)) this.doubles.notify.call(this, address, count);
    else super.notify(address, count);
  }

  override exchange(address: number, value: number): number {
    if (this.doubles.exchange && this.#isAffected(address)) return this.doubles.exchange.call(this, address, value);
    return super.exchange(address, value);
  }

  override compareExchange(address: number, expected: number, value: number): number {
    if (this.doubles.compareExchange && this.#isAffected(address)) {
      return this.doubles.compareExchange.call(this, address, expected, value);
    }
    return super.compareExchange(address, expected, value);
  }
}
