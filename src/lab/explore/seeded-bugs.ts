import { CALLBACK_BUGS } from './seeded-bugs/callbacks.js';
import { COUNTER_BUGS } from './seeded-bugs/counter.js';
import { DEADLINE_BUGS } from './seeded-bugs/deadlines.js';
import { INTERRUPT_CONTROLLER_BUGS } from './seeded-bugs/interrupt-controllers.js';
import { LINE_BUGS } from './seeded-bugs/lines.js';
import { MUTEX_BUGS } from './seeded-bugs/mutexes.js';
import { RING_BUGS } from './seeded-bugs/rings.js';
import type { SeededBug } from './seeded-bugs/seeded-bug.js';

/** Every seeded bug, table by table. */
export const SEEDED_BUGS: readonly SeededBug[] = [
  MUTEX_BUGS,
  CALLBACK_BUGS,
  DEADLINE_BUGS,
  LINE_BUGS,
  INTERRUPT_CONTROLLER_BUGS,
  COUNTER_BUGS,
  RING_BUGS,
].flat();

/** Undefined if no seeded bug has this name. */
export function findSeededBug(name: string): SeededBug | undefined {
  return SEEDED_BUGS.find((bug) => bug.name === name);
}
