import * as H from '../history.js';
import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';

/**
 * In the second pass, where accesses to racy data are scheduling points: a thread writes a word that it read before, and
 * what another thread wrote into it since is gone. Both are part of the state: what it read, and what the word is now.
 */
export function lostUpdate(names: Names): Oracle {
  return {
    name: 'lost update',
    beforeTransition(system, thread, report) {
      const node = system.nodes[thread];
      if (node.kind !== H.SET) return;
      const read = lastRead(node);
      const now = system.words.get(node.address);
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

/** What a thread read of the word that it is about to write, in its present step; undefined if it did not, or wrote it since. */
function lastRead({ address, parent, parentValue }: H.HistoryNode): number | undefined {
  let yielded = parentValue;
  for (let at = parent; at; yielded = at.parentValue, at = at.parent) {
    if (at.address !== address) continue;
    return at.kind === H.GET ? yielded : undefined;
  }
  return undefined;
}
