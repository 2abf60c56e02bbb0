import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { Machine } from '../../../src/core/machine/machine.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { Thread } from '../../../src/core/sync/thread.js';
import { FIRST_VCPU_THREAD, machineAt, sharedMap } from '../../../src/runtime/memory/shared-map.js';
import { DEFERRED_DELAY, STALE_INVERTED, STALE_LATE } from '../../../src/runtime/memory/statistics-layout.js';
import { StatisticsReader } from '../../../src/runtime/statistics/statistics-reader.js';
import { ThreadStatistics } from '../../../src/runtime/statistics/thread-statistics.js';

const SLOT = 1;
const LINE = 20;
const SOURCE = 0;

/** One machine under option 3, as two vCPU threads see it. The test runs both on one thread to control every step. */
function twoViews(): { a: Machine; b: Machine; reader: StatisticsReader } {
  const map = sharedMap({ machines: 1, vcpuThreads: 2, submissions: 16, events: 1024, statisticsSlots: 2 });
  const buffer = new SharedArrayBuffer(map.words * 4);
  const [a, b] = [0, 1].map((index) => {
    const id = FIRST_VCPU_THREAD + index;
    const thread = new Thread(id, new SharedMemory(buffer), new ThreadStatistics(buffer, map, id));
    return new Machine(new SharedMemory(buffer), thread, {
      events: { emit: () => 0, hasRoom: () => true, admits: () => true },
      kickMainLoop() {},
      kickVcpu() {},
      kickLoad() {},
    });
  });
  a.create(machineAt(map, 0), {
    slot: 0,
    design: PRESETS['deferred-irq'],
    clock: 'manual',
    hpet: { timers: 3, msi: false, routingCapability: 0xff_ffff },
    ioapic: { version: 0x20, id: 0 },
    quirks: 0,
    generationCheck: true,
    countOverlap: false,
    statistics: { slot: SLOT, exact: false },
  });
  b.select(machineAt(map, 0));
  return { a, b, reader: new StatisticsReader(new SharedMemory(buffer), map) };
}

function decide(machine: Machine, level: number): void {
  machine.chipset.design.irq.begin(machine.chipset);
  machine.chipset.design.irq.driveLine(machine.chipset, LINE, SOURCE, level);
}

function execute(machine: Machine): void {
  machine.chipset.design.irq.end(machine.chipset);
}

t.test('a deferred change is late after a newer decision, and inverted after a newer execution', async (t) => {
  const { a, b, reader } = twoViews();
  const counts = () => ({
    late: reader.sum(SLOT, STALE_LATE),
    inverted: reader.sum(SLOT, STALE_INVERTED),
    deferred: reader.durations(SLOT, DEFERRED_DELAY).count,
  });
  decide(a, 1);
  t.match(counts(), { deferred: 0 }, 'nothing before it is executed');
  execute(a);
  t.same(counts(), { late: 0, inverted: 0, deferred: 1 });

  decide(a, 0);
  decide(b, 1);
  execute(a);
  t.same(counts(), { late: 1, inverted: 0, deferred: 2 });
  execute(b);
  t.same(counts(), { late: 1, inverted: 0, deferred: 3 });

  decide(a, 0);
  decide(b, 1);
  execute(b);
  execute(a);
  t.same(counts(), { late: 1, inverted: 1, deferred: 5 });
  t.same(a.chipset.decisions.counts(), { total: 5, late: 1, inverted: 1 });
  t.equal(reader.durations(0, DEFERRED_DELAY).count, 0, 'another slot is not touched');
});
