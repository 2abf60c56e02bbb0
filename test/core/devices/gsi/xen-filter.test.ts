import t from 'tap';
import { XEN_FORMS, type XenForm } from '../../../../src/core/devices/gsi/xen-filter.js';
import { TIMER_BLOCKS } from '../../../../src/core/devices/hpet/registers.js';
import { IOREDTBL } from '../../../../src/core/devices/ioapic/registers.js';
import type { PresetName } from '../../../../src/core/locking/presets.js';
import { BQL } from '../../../../src/core/sync/lock-names.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { outputs } from '../../../support/outputs.js';

const GSI = 20;
const VECTOR = 0x41;
/** Edge-triggered: one message per rise of the input. */
const MESSAGE = `pin ${GSI} vector 0x41 edge @0`;

/** The filter's machine; the second view, of the main loop, stands for another thread. */
class XenMachine extends BenchMachine {
  constructor(form: XenForm, locking: PresetName) {
    super({ locking, xen: { form, gsi: GSI } });
    this.writeIoapic(IOREDTBL + 2 * GSI, VECTOR);
    this.takeEvents();
  }

  setCallback(level: number): string[] {
    this.machine.setXenCallback(level);
    return outputs(this, 'apic');
  }

  setExternal(level: number): string[] {
    this.setLine(GSI, level);
    return outputs(this, 'apic');
  }

  /**
   * Sets the callback; after the router's protection was left, and before the flag is cleared, another thread drives the
   * GSI. Returns whether it got in.
   */
  setCallbackAndMeanwhile(level: number, external: number): boolean {
    const { xen } = this.machine.chipset;
    const other = this.mainLoopMachine;
    let gotIn = false;
    xen.endSetting = () => {
      // Nothing can wait on the one thread of a test.
      if (other.chipset.design.irq.lockless || other.locks.tryAcquire(BQL)) {
        gotIn = true;
        other.setLine(GSI, external);
      }
      Reflect.deleteProperty(xen, 'endSetting');
      xen.endSetting();
    };
    this.machine.setXenCallback(level);
    return gotIn;
  }
}

const WORKING: readonly [XenForm, PresetName][] = [
  ['flag+assert', 'bql'],
  ['flag', 'bql'],
  ['source-id', 'bql'],
  ['flag', 'lockless-irq'],
  ['source-id', 'lockless-irq'],
];

for (const [form, locking] of WORKING) {
  t.test(`${form} under ${locking}: the input is the OR of router and callback`, async (t) => {
    const bench = new XenMachine(form, locking);
    t.same(bench.setCallback(1), [MESSAGE]);
    t.same(bench.setExternal(1), [], 'held already');
    t.same(bench.setCallback(0), []);
    t.same(bench.setCallback(1), [], 'held by the external source');
    t.same(bench.setExternal(0), []);
    t.same(bench.setExternal(1), [], 'held by the callback');
    t.same(bench.setExternal(0), []);
    t.same(bench.setCallback(0), []);
    t.same(bench.setExternal(1), [MESSAGE], 'it was low');
    t.same(bench.setExternal(0), []);
    t.same(bench.setCallback(1), [MESSAGE]);
  });

  t.test(`${form} under ${locking}: other GSIs pass, and timers count as external`, async (t) => {
    const bench = new XenMachine(form, locking);
    bench.setCallback(1);
    bench.writeIoapic(IOREDTBL + 2 * 19, 0x42);
    bench.setLine(19, 1);
    t.same(outputs(bench, 'apic'), ['pin 19 vector 0x42 edge @0']);
    bench.writeHpet(TIMER_BLOCKS, (GSI << 9) | (1 << 2));
    bench.writeHpet(TIMER_BLOCKS + 8, 10);
    bench.writeHpet(0x10, 1);
    bench.advance(1000);
    t.same(outputs(bench, 'apic'), [], 'no edge on an input that the callback holds');
    bench.setCallback(0);
    bench.writeHpet(TIMER_BLOCKS + 8, 200);
    bench.advance(10_000);
    t.same(outputs(bench, 'apic'), [`pin ${GSI} vector 0x41 edge @2000`]);
  });
}

t.test('without a filter there is no callback', async (t) => {
  const bench = new BenchMachine({ locking: 'bql' });
  t.equal(bench.machine.setXenCallback(1), false);
});

t.test('flag+assert under lockless-irq fails wherever the filter is reached, and leaves no lock behind', async (t) => {
  const bench = new XenMachine('flag+assert', 'lockless-irq');
  const failure = { name: 'LockAssertionError', code: 'lock-not-held', message: 'bql is not held (irq-update)' };
  t.throws(() => bench.machine.setXenCallback(1), failure);
  t.equal(bench.machine.locks.held, 0, 'before anything was taken');
  try {
    bench.machine.setLine(GSI, 1);
    t.fail('an external level passed');
  } catch (error) {
    t.match(error, failure);
    t.not(bench.machine.locks.held, 0);
    bench.machine.chipset.breakOff(error, 0);
    t.equal(bench.machine.locks.held, 0, 'released where the path is broken off');
  }
  t.match(bench.machine.chipset.xen.failures(), { count: 1 });
  t.throws(() => bench.machine.chipset.breakOff(new Error('something else'), 0), { message: 'something else' });
  bench.setLine(19, 1);
  t.pass('other GSIs work');
});

// Another thread drives the GSI externally while the flag says that the filter does.

t.test('flag under lockless-irq: an external level is lost', async (t) => {
  const bench = new XenMachine('flag', 'lockless-irq');
  t.equal(bench.setCallbackAndMeanwhile(1, 1), true);
  bench.takeEvents();
  bench.setCallback(0);
  t.equal(bench.machine.chipset.router.level(GSI), 1, 'the external source still holds the line');
  t.same(bench.setCallback(1), [MESSAGE], 'and yet the input fell with the callback: it rises again');
});

t.test('source-id under lockless-irq: it is not', async (t) => {
  const bench = new XenMachine('source-id', 'lockless-irq');
  t.equal(bench.setCallbackAndMeanwhile(1, 1), true);
  bench.takeEvents();
  bench.setCallback(0);
  t.same(bench.setCallback(1), [], 'the input never fell');
});

for (const form of XEN_FORMS) {
  t.test(`${form} under bql: no other thread gets in`, async (t) => {
    const bench = new XenMachine(form, 'bql');
    t.equal(bench.setCallbackAndMeanwhile(1, 1), false);
    bench.setExternal(1);
    bench.setCallback(0);
    t.same(bench.setCallback(1), []);
  });
}
