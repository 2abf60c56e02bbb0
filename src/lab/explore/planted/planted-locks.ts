import { LOCK_COUNT } from '../../../core/sync/lock-names.js';
import { lockAddress } from '../../../core/sync/locks.js';
import type { Execution } from '../execution.js';
import { ExploredMemory } from '../explored-memory.js';
import type { Plant } from './plant.js';

type Operations = Partial<Pick<ExploredMemory, 'notify' | 'exchange' | 'compareExchange'>>;

/** A seam in which operations on the words of some locks are done by `doubles`. */
export function plantedInLocks(
  isPlanted: (lock: number) => boolean,
  doubles: Operations & ThisType<ExploredMemory>,
): Plant['options'] {
  return { memory: (execution) => new PlantedMemory(execution, isPlanted, doubles) };
}

class PlantedMemory extends ExploredMemory {
  constructor(
    execution: Execution,
    readonly isPlanted: (lock: number) => boolean,
    readonly doubles: Operations,
  ) {
    super(execution);
  }

  /** Whether an address is one of the words of a lock that is meant. */
  #planted(address: number): boolean {
    if (this.base === 0) return false;
    for (let lock = 0; lock < LOCK_COUNT; lock++) {
      const word = address - lockAddress(lock);
      if (word >= 0 && word < WORDS_OF_A_MUTEX) return this.isPlanted(lock);
    }
    return false;
  }

  override notify(address: number, count: number): void {
    if (this.doubles.notify && this.#planted(address)) this.doubles.notify.call(this, address, count);
    else super.notify(address, count);
  }

  override exchange(address: number, value: number): number {
    if (this.doubles.exchange && this.#planted(address)) return this.doubles.exchange.call(this, address, value);
    return super.exchange(address, value);
  }

  override compareExchange(address: number, expected: number, value: number): number {
    if (this.doubles.compareExchange && this.#planted(address)) {
      return this.doubles.compareExchange.call(this, address, expected, value);
    }
    return super.compareExchange(address, expected, value);
  }
}

/** Both kinds of mutex have their words here. */
const WORDS_OF_A_MUTEX = 3;
