import type { Field } from '../../core/memory/layout.js';
import { MACHINE_AREAS, MACHINE_WORDS } from '../../core/memory/map.js';
import { LOCK_COUNT, LOCK_NAMES } from '../../core/sync/lock-names.js';
import { lockAddress } from '../../core/sync/locks.js';
import { THREADS_AREA } from '../../core/sync/wait-graph.js';
import { machineAt, type SharedMap } from '../../runtime/threads/shared-map.js';
import type { SharedState } from './shared-state.js';

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
    return THREADS_AREA.field(address)?.name ?? this.#part(address);
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

  /** A word outside the machine, by the part of the shared map that it lies in. */
  #part(address: number): string {
    const { map } = this;
    const parts: [string, number][] = [
      ['mainLoopBell', map.mainLoopBell],
      ['gatewayBell', map.gatewayBell],
      ['kicked', map.kicked],
      ['roundsWanted', map.roundsWanted],
      ['roundsDone', map.roundsDone],
      ['viewBuffers', map.viewBuffers],
      ['drains', map.drains],
      ['vcpuBells', map.vcpuBells],
      ['loadBell', map.loadBell],
      ['loadKicked', map.loadKicked],
      ['submissionRings', map.submissionRings],
      ['lockReports', map.lockReports],
      ['eventRing', map.eventRing],
      ['eventShares', map.eventShares],
      ['sockets', map.words],
    ];
    let found: [string, number] = ['shared', 0];
    for (const part of parts) if (part[1] <= address && part[1] >= found[1]) found = part;
    return `${found[0]}+${address - found[1]}`;
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
