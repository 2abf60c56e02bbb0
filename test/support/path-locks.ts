import { SOURCE_RTC } from '../../src/core/devices/gsi/sources.js';
import { HPET_BASE, IOAPIC_BASE } from '../../src/core/devices/guest-map.js';
import { INTERRUPT_STATUS, MAIN_COUNTER, TIMER_BLOCKS } from '../../src/core/devices/hpet/registers.js';
import { IOREDTBL, IOWIN } from '../../src/core/devices/ioapic/registers.js';
import type { Design } from '../../src/core/locking/axes.js';
import { U64 } from '../../src/core/memory/u64.js';
import { ROUTER } from '../../src/core/sync/lock-names.js';
import { BenchMachine } from './bench-machine.js';

/** The ways into a machine, each with the locks that it takes: a vCPU's, then the main loop's after `|`. */
export interface PathLocks {
  readonly 'register write that raises a line': string;
  readonly 'register read': string;
  readonly 'main counter read': string;
  readonly 'redirection entry read': string;
  readonly EOI: string;
  readonly 'external line': string;
  readonly 'timer callback that pulses a line': string;
  readonly 'MSI from a register write': string;
  readonly 'legacy input': string;
  readonly reset: string;
  /** A register write that raises a line while another thread holds the router's lock: what comes of it. */
  readonly 'line change while the router is busy': string;
}

const LEVEL_PIN = 20;
const EDGE_PIN = 21;
const VECTOR = 0x30;
const LEVEL = 1 << 1;
const ENABLE = 1 << 2;
const FSB = 1 << 14;
const route = (line: number) => line << 9;
const timer = (number: number) => TIMER_BLOCKS + 0x20 * number;

/** Runs each path once on a machine of this design and tells the locks that were taken, with those held meanwhile. */
export function pathLocks(design: Design): PathLocks {
  const bench = new BenchMachine({ locking: design, hpet: { msi: true } });
  const locksOf = (path: () => void): string => {
    bench.vcpuLocks.take();
    bench.mainLoopLocks.take();
    path();
    return `${bench.vcpuLocks.take().join(', ')} | ${bench.mainLoopLocks.take().join(', ')}`;
  };
  const pend = (number: number) => {
    bench.writeHpet(timer(number), route(LEVEL_PIN) | LEVEL);
    bench.writeHpet(timer(number) + 8, bench.readHpet(MAIN_COUNTER) + 10n);
    bench.advance(1000);
  };
  bench.writeIoapic(IOREDTBL + 2 * LEVEL_PIN, 0x8000 | VECTOR);
  bench.writeHpet(0x10, 1);
  pend(0);
  pend(2);
  const locks = {
    'register write that raises a line': locksOf(() => bench.writeHpet(timer(0), route(LEVEL_PIN) | LEVEL | ENABLE)),
    'register read': locksOf(() => bench.readHpet(INTERRUPT_STATUS)),
    'main counter read': locksOf(() => bench.readHpet(MAIN_COUNTER)),
    'redirection entry read': locksOf(() => bench.read(IOAPIC_BASE + IOWIN, 4)),
    EOI: locksOf(() => bench.endOfInterrupt(VECTOR)),
    'external line': locksOf(() => bench.setLine(5, 1)),
    'timer callback that pulses a line': locksOf(() => {
      bench.machine.write(0xfed0_0128, 8, bench.machine.value.setNumber(5000));
      bench.machine.write(0xfed0_0120, 8, bench.machine.value.setNumber(route(EDGE_PIN) | ENABLE));
      bench.vcpuLocks.take();
      bench.advance(100_000);
    }),
    'MSI from a register write': locksOf(() => bench.writeHpet(timer(2), LEVEL | ENABLE | FSB)),
    'legacy input': locksOf(() => bench.setLegacyInput(SOURCE_RTC, 1)),
    reset: locksOf(() => bench.reset()),
  };
  return { ...locks, 'line change while the router is busy': changeWhileRouterIsBusy(design) };
}

/** Only a design that never waits for the router is put to this; all others would hang. */
function changeWhileRouterIsBusy(design: Design): string {
  if (design.irq.name !== 'try-queue') return 'waits';
  const bench = new BenchMachine({ locking: design });
  bench.writeHpet(timer(0), route(LEVEL_PIN) | LEVEL);
  bench.writeHpet(timer(0) + 8, 10);
  bench.writeHpet(0x10, 1);
  bench.advance(1000);
  bench.takeEvents();
  const holder = bench.mainLoopMachine.chipset;
  const entered = holder.design.irq.enter(holder, ROUTER);
  // Not by `writeHpet`: with a manual clock the reply waits for the holder, who is this same thread.
  bench.machine.write(HPET_BASE + timer(0), 8, new U64().setNumber(route(LEVEL_PIN) | LEVEL | ENABLE));
  const before = bench.takeEvents().length;
  holder.design.irq.leave(holder, ROUTER, entered);
  return `queued (${before} events), then drained by the holder (${bench.takeEvents().length})`;
}
