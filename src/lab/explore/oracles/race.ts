import type { Finding } from '../finding.js';
import { conflicts, type Segment } from '../history.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';
import type { System } from '../system.js';

/**
 * Two plain accesses to one word, one of them a write, that nothing orders. A thread that stands before its next
 * operation has released nothing since its last one; so whatever another thread accesses now is unordered with what the
 * first one accessed since then. Conversely, in any execution with a race all operations that do not happen before the
 * second access can be left out, and then the first thread stands just so: complete exploration misses no race, and
 * needs no vector clocks in the state.
 */
export function race(names: Names): Oracle {
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
