import { Clock } from '../../../core/machine/clock.js';
import { Kicks } from '../../../core/machine/kicks.js';
import { isAlive } from '../../../core/machine/machine.js';
import { TIMER_COUNT } from '../../../core/machine/timer-list.js';
import { MAIN_LOOP_THREAD } from '../../../runtime/threads/shared-map.js';
import { armedDeadline } from '../armed-deadline.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { StillMemory } from '../still-memory.js';
import { type System, WAITING } from '../system.js';

/**
 * At rest, nothing that is due by a ticking clock is left: not on the timer list, and not with a vCPU thread. The clock
 * may have gone on between the main loop's look at it and its sleep: then it wakes late, for the right deadline.
 */
export function unfired({ names, scenario }: Laboratory): Oracle {
  return {
    name: 'unfired',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const { times, now } = system.execution.clock;
      const memory = new StillMemory(system.words, times[now]);
      memory.select(names.machine);
      // Of a machine that was removed, or frozen, nobody runs what is left.
      if (!isAlive(memory)) return;
      const clock = new Clock(memory);
      if (!new Kicks(memory).isEmpty)
        report({ kind: 'linearizability', summary: 'a callback is left for a vCPU thread' });
      if (!clock.isTicking()) return;
      for (let timer = 0; timer < TIMER_COUNT; timer++) {
        const deadline = armedDeadline(names, system.words, timer);
        if (deadline === undefined || deadline > clock.now() || isAwaited(system, deadline)) continue;
        report({ kind: 'linearizability', summary: `timer ${timer} is due and does not fire` });
      }
    },
  };
}

/** Whether the main loop sleeps until `deadline`, as of some time at which it may have looked at the clock. */
function isAwaited({ threads, nodes, status, waitingSince, execution }: System, deadline: number): boolean {
  const mainLoop = threads.findIndex(({ id }) => id === MAIN_LOOP_THREAD);
  if (status[mainLoop] < WAITING) return false;
  const timeout = nodes[mainLoop].b;
  return execution.clock.times.some((time, at) => at <= waitingSince[mainLoop] && time + timeout === deadline);
}
