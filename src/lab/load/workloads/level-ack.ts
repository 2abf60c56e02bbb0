import type { Workload } from '../bench.js';
import { ENABLE, INTERRUPT_STATUS, LEVEL, route, TICK_NS, TRIGGER_LEVEL } from '../registers.js';
import { armOnce, disarm, expectNoMore, expectOne, ticksFor } from './timer-tick.js';

/** Level-triggered one-shots: the handler clears the status bit, then the EOI finds the line low. */
export const levelAck: Workload = {
  name: 'level-ack',
  summary: 'level-triggered timers; the handler clears the status bit and sends an EOI, and nothing may come twice',
  needs: 'timer',
  async prepare(station, { ioapic }) {
    await ioapic.write(station, station.pin, station.vector | TRIGGER_LEVEL, station.index);
    await station.write(station.configuration, 8, ENABLE | LEVEL | route(station.pin));
  },
  async operate(station, bench) {
    expectNoMore(station, bench);
    const ticks = ticksFor(station);
    const isArmed = await armOnce(station, ticks);
    if (isArmed) await expectOne(station, bench);
    else await disarm(station, bench, LEVEL | route(station.pin));
    await station.write(INTERRUPT_STATUS, 8, 1 << station.index);
    await station.vcpu.endOfInterrupt(station.vector);
    if (isArmed) return (ticks * TICK_NS) / 1e6;
    station.take(1);
    await station.write(station.configuration, 8, ENABLE | LEVEL | route(station.pin));
    return undefined;
  },
  finish: expectNoMore,
};
