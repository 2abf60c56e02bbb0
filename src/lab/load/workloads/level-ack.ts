import type { Workload } from '../loaded-machine.js';
import { ENABLE, INTERRUPT_STATUS, LEVEL, route, TICK_NS, TRIGGER_LEVEL } from '../registers.js';
import { armOnce, disarm, expectNoMore, expectOne, ticksFor } from './timer-tick.js';

/** Level-triggered one-shot timers: the handler clears the status bit, then sends the EOI while the line is low. */
export const levelAck: Workload = {
  name: 'level-ack',
  summary:
    'level-triggered timers; the handler clears the status bit and sends an EOI, and no interrupt may arrive twice',
  needs: 'timer',
  async prepare(driver, { ioapic }) {
    await ioapic.write(driver, driver.pin, driver.vector | TRIGGER_LEVEL, driver.index);
    await driver.write(driver.configuration, 8, ENABLE | LEVEL | route(driver.pin));
  },
  async operate(driver, machine) {
    expectNoMore(driver, machine);
    const ticks = ticksFor(driver);
    const isArmed = await armOnce(driver, ticks);
    if (isArmed) await expectOne(driver, machine);
    else await disarm(driver, machine, LEVEL | route(driver.pin));
    await driver.write(INTERRUPT_STATUS, 8, 1 << driver.index);
    await driver.vcpu.endOfInterrupt(driver.vector);
    if (isArmed) return (ticks * TICK_NS) / 1e6;
    driver.take(1);
    await driver.write(driver.configuration, 8, ENABLE | LEVEL | route(driver.pin));
    return undefined;
  },
  finish: expectNoMore,
};
