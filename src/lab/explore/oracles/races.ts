import type { Design } from '../../../core/locking/axes.js';
import type { Protection } from '../../../core/memory/layout.js';
import { BQL, DEVICE, IOAPIC, LOCK_NAMES, PIC, ROUTER, TIMERS } from '../../../core/sync/lock-names.js';
import type { Finding } from '../finding.js';
import type { Fixture } from '../fixture.js';
import * as H from '../history.js';
import { conflicts, type Segment } from '../history.js';
import type { Names } from '../names.js';
import type { MakeOracle, Oracle } from '../oracle.js';
import type { System } from '../system.js';

/**
 * Two unordered plain accesses to one word, one of them a write. A thread at its next operation has released nothing
 * since its last one. Its accesses since then are therefore unordered with the current accesses of every other thread.
 * Conversely, any execution with a race stays valid without the operations that do not happen before the second access,
 * and then the first thread is in that position. So complete exploration misses no race and needs no vector clocks.
 */
function race({ names }: Fixture): Oracle {
  /** Pairs of segments that were compared. */
  const known = new Map<Segment, Map<Segment, number[]>>();
  const compare = (one: Segment, other: Segment): number[] => {
    const row = known.get(one) ?? new Map<Segment, number[]>();
    known.set(one, row);
    const addresses = row.get(other) ?? conflicts(one, other);
    row.set(other, addresses);
    return addresses;
  };
  return {
    name: 'race',
    afterTransition(system, thread, report) {
      const mine = system.segment(thread);
      if (mine.accessMask === 0) return;
      for (let other = 0; other < system.threads.length; other++) {
        if (other === thread) continue;
        const theirs = system.segment(other);
        if (!(mine.writeMask & theirs.accessMask) && !(mine.accessMask & theirs.writeMask)) continue;
        for (const address of compare(mine, theirs)) report(describe(system, names, thread, other, address));
      }
    },
  };
}

function describe(system: System, names: Names, one: number, other: number, address: number): Finding {
  const did = (thread: number) => {
    const verb = system.segment(thread).writes.includes(address) ? 'writes' : 'reads';
    return `${system.threads[thread].name} ${verb}`;
  };
  const [first, second] = one < other ? [one, other] : [other, one];
  const field = names.word(address);
  return {
    kind: 'race',
    summary: `${field}: ${did(first)} and ${did(second)} it, unordered`,
    key: field,
    word: field,
    address,
  };
}

/**
 * Each access is of the kind that its word is declared for: synchronisation words by atomics only, data by plain accesses
 * only, under the lock that protects the field in this design. A word without a declaration is not accessed at all.
 */
function protection({ names, scenario }: Fixture, design: Design): Oracle {
  return {
    name: 'protection',
    beforeAction(system, thread, node, report) {
      if (node.address < 0 || node.kind >= H.END) return;
      const declared = names.protectionOf(node.address);
      if (declared === undefined) return;
      const word = names.word(node.address);
      const { id, name } = system.threads[thread];
      const isPlain = node.kind < H.LOAD;
      const writes = node.kind === H.SET || node.kind === H.SET_TIME;
      const verb = isPlain ? (writes ? 'writes' : 'reads') : 'operates on';
      // A restore that writes one field of every timer is one finding.
      const about = { key: `${word.replace(/\[\d+\]/g, '[]')} unguarded`, word };
      if (declared === 'undeclared' || (declared === 'sync') === isPlain || (declared === 'constant' && writes)) {
        const fault = declared === 'sync' || isPlain ? `${declared}` : `${declared} data, atomically`;
        report({ kind: 'race', summary: `${word}: ${name} ${verb} it, which is ${fault}`, ...about });
        return;
      }
      // Lockers test the lock alone, whatever it protects in this design.
      if (!isPlain || scenario.lockers) return;
      const locks = locksOf(declared, writes, design);
      if (!locks || locks.some((lock) => names.ownerOf(system.state, lock) === id)) return;
      const missing = locks.map((lock) => LOCK_NAMES[lock]).join(' or ');
      report({ kind: 'race', summary: `${word}: ${name} ${verb} it without ${missing}`, ...about });
    },
  };
}

/** The locks that allow the access, any one of them; undefined where another mechanism protects the field. */
function locksOf(protection: Protection, writes: boolean, { mmio, irq }: Design): readonly number[] | undefined {
  const hpet = mmio.underBql ? BQL : DEVICE;
  switch (protection) {
    case 'hpet':
      return [hpet];
    case 'router':
      return [irq.lockless ? ROUTER : BQL];
    case 'ioapic':
      return [irq.lockless ? IOAPIC : BQL];
    case 'pic':
      return [irq.lockless ? PIC : BQL];
    case 'timers':
      return [TIMERS];
    case 'arming':
      return writes ? [TIMERS] : [TIMERS, hpet, irq.lockless ? IOAPIC : BQL];
    default:
      return undefined;
  }
}

/**
 * Second pass: a thread writes a word that it read earlier in its step, and overwrites another thread's write. The
 * value read and the current value are both part of the state.
 */
function lostUpdate({ names }: Fixture): Oracle {
  return {
    name: 'lost update',
    beforeTransition(system, thread, report) {
      const node = system.nodes[thread];
      if (node.kind !== H.SET) return;
      const read = lastRead(node);
      const now = system.state.get(node.address);
      if (read === undefined || read === now || now === node.a) return;
      const field = names.word(node.address);
      const { name } = system.threads[thread];
      report({
        kind: 'linearizability',
        summary: `${field}: ${name} read ${read} and writes ${node.a} over the ${now} written meanwhile, which is lost`,
        key: `${field}: ${name} overwrites`,
        word: field,
      });
    },
  };
}

/**
 * The value that a thread last read, in its current step, of the word it is about to write; undefined after a write.
 */
function lastRead({ address, parent, parentValue }: H.HistoryNode): number | undefined {
  let yielded = parentValue;
  for (let at = parent; at; yielded = at.parentValue, at = at.parent) {
    if (at.address !== address) continue;
    return at.kind === H.GET ? yielded : undefined;
  }
  return undefined;
}

/** Plain accesses: unordered, unprotected, or lost. */
export const RACE_ORACLES: readonly MakeOracle[] = [race, protection, lostUpdate];
