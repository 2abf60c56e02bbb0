import { AWAIT_CHANGE } from '../history.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';

/** At rest, every thread has ended or waits for work. */
export function deadlock(names: Names): Oracle {
  return {
    name: 'deadlock',
    atRest(system, report) {
      const stuck = system.stuck();
      if (stuck.length === 0) return;
      const parts = stuck.map((thread) => {
        const node = system.nodes[thread];
        const held = names.locksHeldBy(system.words, system.threads[thread].id);
        const holding = held.length ? `, holding ${held.join(' and ')},` : '';
        const waits = node.kind === AWAIT_CHANGE ? 'spins on' : 'waits for';
        return `${system.threads[thread].name}${holding} ${waits} ${names.word(node.address)}`;
      });
      const spins = stuck.some((thread) => system.nodes[thread].kind === AWAIT_CHANGE);
      report({ kind: spins ? 'livelock' : 'deadlock', summary: parts.join('; ') });
    },
  };
}
