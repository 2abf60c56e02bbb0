import t from 'tap';
import { SOURCE_PIT } from '../../../src/core/devices/gsi/sources.js';
import { TIMER_BLOCKS } from '../../../src/core/devices/hpet/registers.js';
import type { Design } from '../../../src/core/locking/axes.js';
import { CONTROL_AXIS, PRESET_NAMES, PRESETS } from '../../../src/core/locking/presets.js';
import { BenchMachine } from '../../support/bench-machine.js';

const LEVEL_LINE_20 = (20 << 9) | (1 << 1);
const ENABLE = 1 << 2;

/** Path A: a timer callback; no vCPU changes a line. */
function callback(bench: BenchMachine): void {
  bench.writeHpet(TIMER_BLOCKS, LEVEL_LINE_20);
  bench.writeHpet(TIMER_BLOCKS + 8, 10);
  bench.writeHpet(0x10, 1);
  bench.advance(1000);
}

/** Path B, after a callback: a register write that raises a line. */
function write(bench: BenchMachine): void {
  bench.writeHpet(TIMER_BLOCKS, LEVEL_LINE_20 | ENABLE);
}

/** Path C. */
function reset(bench: BenchMachine): void {
  bench.reset();
}

const mutexFirst = { outer: 'device', inner: 'bql' };
const bqlFirst = { outer: 'bql', inner: 'device' };

t.test('nested-mutex: callback, then write', async (t) => {
  const bench = new BenchMachine({ locking: 'nested-mutex' });
  callback(bench);
  t.same(bench.inversions(), [], 'one order alone is none');
  write(bench);
  t.match(bench.inversions(), [
    {
      ...mutexFirst,
      site: 'irq-update',
      against: [{ ...bqlFirst, site: 'timer-callback', thread: 'main-loop' }],
    },
  ]);
  write(bench);
  reset(bench);
  t.equal(bench.inversions().length, 1, 'reported once');
});

t.test('nested-mutex: control work, then a write that turns legacy mode on', async (t) => {
  const bench = new BenchMachine({ locking: 'nested-mutex' });
  bench.setLegacyInput(SOURCE_PIT, 0);
  t.same(bench.inversions(), []);
  bench.writeHpet(0x10, 3);
  t.match(bench.inversions(), [{ ...mutexFirst, against: [{ ...bqlFirst, site: 'control', thread: 'main-loop' }] }]);
});

t.test('lockless-timer with naive control: neither callback nor write, but reset', async (t) => {
  const [naive] = CONTROL_AXIS.filter(({ name }) => name === 'naive');
  const design: Design = { ...PRESETS['lockless-timer'], control: naive };
  const bench = new BenchMachine({ locking: design });
  callback(bench);
  write(bench);
  t.same(bench.inversions(), [], 'the timer path is repaired');
  reset(bench);
  t.match(bench.inversions(), [
    { ...bqlFirst, site: 'control', against: [{ ...mutexFirst, site: 'irq-update', thread: 'vcpu-0' }] },
  ]);
});

for (const name of PRESET_NAMES.filter((name) => name !== 'nested-mutex')) {
  t.test(`${name}: none`, async (t) => {
    const bench = new BenchMachine({ locking: name });
    callback(bench);
    write(bench);
    reset(bench);
    t.same(bench.inversions(), []);
  });
}
