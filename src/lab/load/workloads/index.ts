import type { Workload } from '../loaded-machine.js';
import { counterRead } from './counter-read.js';
import { counterTorture } from './counter-torture.js';
import { levelAck } from './level-ack.js';
import { mixed } from './mixed.js';
import { periodic } from './periodic.js';
import { rteChurn } from './rte-churn.js';
import { timerTick } from './timer-tick.js';

/** All workloads except `guest`, which needs a trace (`guest.ts`). */
export const WORKLOADS: readonly Workload[] = [
  counterRead,
  counterTorture,
  timerTick,
  periodic,
  levelAck,
  rteChurn,
  mixed,
];

export const WORKLOAD_NAMES: readonly string[] = [...WORKLOADS.map(({ name }) => name), 'guest'];

export const SUMMARIES: readonly (readonly [name: string, summary: string])[] = [
  ...WORKLOADS.map(({ name, summary }) => [name, summary] as const),
  ['guest', 'a recorded guest (--trace) in real time; each vCPU replays it on its own machine'],
];
