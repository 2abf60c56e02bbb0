import t from 'tap';
import {
  GENERAL_CONFIGURATION,
  INTERRUPT_STATUS,
  MAIN_COUNTER,
  TIMER_BLOCKS,
} from '../../../src/core/devices/hpet/registers.js';
import { IOREDTBL } from '../../../src/core/devices/ioapic/registers.js';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { EVENT_APIC, unpackEvent } from '../../../src/core/machine/events.js';
import * as L from '../../../src/runtime/memory/statistics-layout.js';
import { LiveMachine } from '../../support/live-machine.js';

const SLOT = 0;
const LINE = 20;
const VECTOR = 0x44;
const LEVEL = 1 << 15;

/** A machine whose timer 0 drives a line level-triggered, with what happened at its last rising edge. */
class Fixture {
  #rose = () => {};
  machine!: LiveMachine;

  static async start(preset: keyof typeof PRESETS, entry = 0): Promise<Fixture> {
    const fixture = new Fixture();
    fixture.machine = await LiveMachine.start(PRESETS[preset], 2, (event) => {
      const content = unpackEvent(event);
      if (content.kind === 'line' && content.level === 1) fixture.#rose();
    });
    const { machine } = fixture;
    if (entry) await machine.writeIoapic(0, IOREDTBL + 2 * LINE, entry);
    await machine.writeHpet(0, TIMER_BLOCKS, (LINE << 9) | (1 << 2) | (1 << 1));
    await machine.writeHpet(0, GENERAL_CONFIGURATION, 1);
    return fixture;
  }

  /** Lets timer 0 raise its line, and lowers it again. */
  async fire(): Promise<void> {
    const { machine } = this;
    const risen = new Promise<void>((resolve) => {
      this.#rose = resolve;
    });
    await machine.writeHpet(0, TIMER_BLOCKS + 8, await machine.readHpet(0, MAIN_COUNTER));
    await risen;
    await machine.writeHpet(0, INTERRUPT_STATUS, 1);
    // The callback has ended when the main loop starts its next iteration.
    await machine.engine.round();
    await machine.engine.round();
  }

  sum(counter: number): number {
    return this.machine.engine.statistics.sum(SLOT, counter);
  }

  times(histogram: number): number {
    return this.machine.engine.statistics.durations(SLOT, histogram).count;
  }
}

t.test('option 1 reacquires the big lock after each callback', async (t) => {
  const fixture = await Fixture.start('lockless-timer');
  t.teardown(() => fixture.machine.close());
  for (let i = 0; i < 3; i++) await fixture.fire();
  t.ok(fixture.times(L.LATENESS) >= 3, 'every callback had a lateness');
  t.equal(fixture.times(L.REACQUIRE), fixture.times(L.LATENESS));
  t.equal(fixture.times(L.DEFERRED_DELAY), 0);
});

t.test('option 3 defers calls', async (t) => {
  const fixture = await Fixture.start('deferred-irq');
  t.teardown(() => fixture.machine.close());
  for (let i = 0; i < 3; i++) await fixture.fire();
  const { total, late, inverted } = fixture.machine.deferred();
  t.ok(total >= 6, 'each rise and each fall');
  t.equal(fixture.times(L.DEFERRED_DELAY), total);
  t.equal(fixture.sum(L.STALE_LATE), late);
  t.equal(fixture.sum(L.STALE_INVERTED), inverted);
  t.equal(fixture.times(L.REACQUIRE), 0);
});

t.test('nested mutexes are an order inversion, counted when both orders were seen', async (t) => {
  const fixture = await Fixture.start('nested-mutex');
  t.teardown(() => fixture.machine.close());
  t.equal(fixture.sum(L.ORDER_INVERSIONS), 0);
  await fixture.fire();
  t.equal(fixture.sum(L.ORDER_INVERSIONS), fixture.machine.inversions().length);
  t.ok(fixture.sum(L.ORDER_INVERSIONS) >= 1);
  t.equal(fixture.sum(L.DEADLOCKS_BROKEN) + fixture.sum(L.DEADLOCKS_HUNG), fixture.machine.deadlocks().length);
});

t.test('a deadlock that was broken is counted', async (t) => {
  const fixture = await Fixture.start('nested-mutex');
  const { machine } = fixture;
  t.teardown(() => machine.close());
  // Timer 1 is due whenever the main loop, after other work, runs the timers with the big lock held.
  await machine.writeHpet(0, TIMER_BLOCKS + 0x20, (21 << 9) | (1 << 2) | (1 << 3) | (1 << 6));
  await machine.writeHpet(0, TIMER_BLOCKS + 0x28, 100_000);
  machine.loadBql({ duty: 900, hold: 20_000_000, burn: false });
  while (fixture.sum(L.DEADLOCKS_BROKEN) === 0) await fixture.fire();
  t.not(machine.deadlocks().length, 0);
  t.equal(fixture.sum(L.DEADLOCKS_HUNG), 0);
});

t.test('interrupts, and requests that found remote IRR set', async (t) => {
  const fixture = await Fixture.start('lockless-irq', LEVEL | VECTOR);
  t.teardown(() => fixture.machine.close());
  await fixture.fire();
  t.equal(fixture.sum(L.INTERRUPTS + EVENT_APIC), 1);
  t.equal(fixture.sum(L.COALESCED), 0);
  await fixture.fire();
  t.equal(fixture.sum(L.INTERRUPTS + EVENT_APIC), 1, 'none while the first awaits its EOI');
  t.equal(fixture.sum(L.COALESCED), 1);
  await fixture.machine.endOfInterrupt(0, VECTOR);
  await fixture.fire();
  t.equal(fixture.sum(L.INTERRUPTS + EVENT_APIC), 2);
  t.equal(fixture.times(L.DELIVERY), 2, 'each was delivered');
});
