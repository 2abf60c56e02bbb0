import { FAILED } from '../history.js';
import type { Oracle } from '../oracle.js';

/** Production code throws nothing. */
export const failure: Oracle = {
  name: 'failure',
  afterTransition(system, thread, report) {
    const node = system.nodes[thread];
    if (node.kind !== FAILED) return;
    const message = node.error instanceof Error ? node.error.message : String(node.error);
    report({ kind: 'assertion', summary: `${system.threads[thread].name} failed: ${message}` });
  },
};
