import type { Names } from '../names.js';
import type { Oracle } from '../oracle.js';

/** A thread holds no lock when its step ends. */
export function locksReleased(names: Names): Oracle {
  return {
    name: 'locks released',
    atStepEnd(system, thread, report) {
      const held = names.locksHeldBy(system.words, system.threads[thread].id);
      if (held.length === 0) return;
      report({ kind: 'assertion', summary: `${system.threads[thread].name} ends its step holding ${held.join(', ')}` });
    },
  };
}
