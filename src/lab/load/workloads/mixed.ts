import type { Workload } from '../loaded-machine.js';
import { GENERAL_CONFIGURATION, INTERRUPT_STATUS } from '../registers.js';
import { readCounter } from './counter-read.js';
import { expectNoMore, tick, timerTick } from './timer-tick.js';

const READS_AT_ONCE = 16;

/** The mix of a typical guest: mostly counter reads, some reads of other registers, and timers. */
export const mixed: Workload = {
  name: 'mixed',
  summary:
    'counter reads, other registers, one-shot timers and end of interrupt, in the proportions of a typical guest',
  needs: 'timer',
  prepare: timerTick.prepare,
  async operate(driver, machine) {
    const choice = driver.random.below(16);
    if (choice === 0) return tick(driver, machine);
    expectNoMore(driver, machine);
    if (choice < 3) {
      await driver.read(GENERAL_CONFIGURATION, 8);
      await driver.read(INTERRUPT_STATUS, 8);
    } else if (choice === 3) await driver.vcpu.endOfInterrupt(driver.vector);
    else if (choice < 6) await Promise.all(Array.from({ length: READS_AT_ONCE }, () => readCounter(driver, machine)));
    else await readCounter(driver, machine);
    return undefined;
  },
  finish: expectNoMore,
};
