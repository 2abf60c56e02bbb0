import type { Workload } from '../bench.js';
import { GENERAL_CONFIGURATION, INTERRUPT_STATUS } from '../registers.js';
import { readCounter } from './counter-read.js';
import { expectNoMore, tick, timerTick } from './timer-tick.js';

const READS_AT_ONCE = 16;

/** What a guest does all day: mostly counter reads, some of other registers, and timers. */
export const mixed: Workload = {
  name: 'mixed',
  summary: 'counter reads, other registers, one-shot timers and end of interrupt, as a guest mixes them',
  needs: 'timer',
  prepare: timerTick.prepare,
  async operate(station, bench) {
    const choice = station.random.below(16);
    if (choice === 0) return tick(station, bench);
    expectNoMore(station, bench);
    if (choice < 3) {
      await station.read(GENERAL_CONFIGURATION, 8);
      await station.read(INTERRUPT_STATUS, 8);
    } else if (choice === 3) await station.vcpu.endOfInterrupt(station.vector);
    else if (choice < 6) await Promise.all(Array.from({ length: READS_AT_ONCE }, () => readCounter(station, bench)));
    else await readCounter(station, bench);
    return undefined;
  },
  finish: expectNoMore,
};
