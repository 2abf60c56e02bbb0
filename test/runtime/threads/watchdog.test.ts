import t from 'tap';
import { GENERAL_CONFIGURATION, TIMER_BLOCKS } from '../../../src/core/devices/hpet/registers.js';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { LiveMachine } from '../../support/live-machine.js';

const LINE = 20;
/** Edge-triggered, enabled, periodic, with the next write setting the period. */
const PERIODIC = (LINE << 9) | (1 << 2) | (1 << 3) | (1 << 6);
/** Longer than the watchdog waits. */
const STOPPED_MS = 1200;

t.test('a gateway that was stopped while its bell rang has missed no wakeup', async (t) => {
  const machine = await LiveMachine.start(PRESETS['lockless-timer'], 1);
  t.teardown(() => machine.close());
  await machine.writeHpet(0, TIMER_BLOCKS, PERIODIC);
  await machine.writeHpet(0, TIMER_BLOCKS + 8, 100_000);
  await machine.writeHpet(0, GENERAL_CONFIGURATION, 1);
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (let stops = 0; stops < 3; stops++) {
    // As SIGSTOP does to a whole process, this keeps the event loop from everything, timers included.
    Atomics.wait(nothing, 0, 0, STOPPED_MS);
    await machine.readHpet(0, GENERAL_CONFIGURATION);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  t.equal(machine.engine.missedWakeups, 0);
});
