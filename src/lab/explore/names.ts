import type { Field, Protection } from '../../core/memory/layout.js';
import { MACHINE_AREAS, MACHINE_WORDS } from '../../core/memory/map.js';
import { LOCK_COUNT, LOCK_NAMES } from '../../core/sync/lock-names.js';
import { lockAddress } from '../../core/sync/locks.js';
import { THREADS_AREA } from '../../core/sync/wait-graph.js';
import { machineAt, type SharedMap } from '../../runtime/memory/shared-map.js';
import { sharedWord } from '../../runtime/memory/shared-words.js';
import type { SharedState } from './shared-state.js';
import { socketProtection } from './sockets.js';

/** Names of words and owners of locks, of the one machine under exploration. */
export class Names {
  readonly machine: number;

  constructor(readonly map: SharedMap) {
    this.machine = machineAt(map, 0);
  }

  /** The name of a word, by its absolute address. */
  word(address: number): string {
    const lock = this.lockAt(address);
    if (lock >= 0) return LOCK_NAMES[lock];
    const relative = address - this.machine;
    if (relative >= 0 && relative < MACHINE_WORDS) return this.field(address)?.name ?? `machine+${relative}`;
    if (address >= this.map.words) return `sockets+${address - this.map.words}`;
    const shared = sharedWord(this.map, address);
    return THREADS_AREA.field(address)?.name ?? (shared ? `${shared.part}+${shared.offset}` : `shared+${address}`);
  }

  /** Which lock's word lies at an absolute address; −1 if none. */
  lockAt(address: number): number {
    for (let lock = 0; lock < LOCK_COUNT; lock++) if (this.machine + lockAddress(lock) === address) return lock;
    return -1;
  }

  /** The number of the thread that holds a lock, or 0. Bit 0 of the lock word says whether anyone waits. */
  ownerOf(state: SharedState, lock: number): number {
    return state.get(this.machine + lockAddress(lock)) >>> 1;
  }

  locksHeldBy(state: SharedState, thread: number): string[] {
    return LOCK_NAMES.filter((_, lock) => this.ownerOf(state, lock) === thread);
  }

  /**
   * What protects a word; `undeclared` if no module has declared it, undefined where exploration has no rule: words of
   * reports that the scenario's threads do not share.
   */
  protectionOf(address: number): Protection | 'undeclared' | undefined {
    const relative = address - this.machine;
    if (relative >= 0 && relative < MACHINE_WORDS) return this.field(address)?.protection ?? 'undeclared';
    if (address >= this.map.words) return socketProtection(address - this.map.words);
    const word = sharedWord(this.map, address);
    return word ? word.protection : 'undeclared';
  }

  /** The field of the machine at an absolute address, if one was claimed there. */
  field(address: number): Field | undefined {
    const relative = address - this.machine;
    for (const area of MACHINE_AREAS) {
      const field = area.field(relative);
      if (field) return field;
    }
    return undefined;
  }
}
