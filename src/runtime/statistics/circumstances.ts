import { deviceAt, HPET, HPET_BASE } from '../../core/devices/guest-map.js';
import { lineOf } from '../../core/devices/hpet/interrupt-output.js';
import * as H from '../../core/devices/hpet/registers.js';
import { HpetState } from '../../core/devices/hpet/state.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { CALL_SITES, MMIO_READ, MMIO_WRITE, TIMER_CALLBACK } from '../../core/sync/call-sites.js';
import { LOCK_COUNT } from '../../core/sync/lock-names.js';
import type { Waiter } from '../../core/sync/wait-graph.js';
import type { Circumstances } from '../memory/lock-reports.js';
import { machineAt, type SharedMap, slotAt } from '../memory/shared-map.js';
import { headerAt, LAST_SITE, LAST_WORK } from '../memory/statistics-layout.js';

const SITE_BITS = 3;

/** The call site at which a lock was taken. */
export function siteOf({ sites }: Circumstances, lock: number): number {
  return (sites >>> (lock * SITE_BITS)) & ((1 << SITE_BITS) - 1);
}

/** Call sites from the outermost one: of the ones that a path passes, a later one is called by an earlier one. */
const NESTING = ['main-loop', 'control', 'mmio-read', 'mmio-write', 'timer-callback', 'deferred-flush', 'irq-update'];

/** The call path of a thread that took locks at some call sites and waits at another. */
export function pathOf(sites: readonly string[]): string[] {
  return NESTING.filter((site) => sites.includes(site));
}

/** The timer that work concerns; undefined if it concerns none, or all. */
export function timerOf(work: number): number | undefined {
  if (work < 0) return -work <= H.MAX_TIMERS ? -1 - work : undefined;
  const block = work - HPET_BASE - H.TIMER_BLOCKS;
  const timer = Math.floor(block / H.TIMER_BLOCK_SIZE);
  return deviceAt(work, 1) === HPET && block >= 0 && timer < H.MAX_TIMERS ? timer : undefined;
}

/** Reads how threads came to wait. For the thread that reports a deadlock: what it reads does not change meanwhile. */
export function circumstancesOf(buffer: SharedArrayBuffer, map: SharedMap) {
  const times = new Float64Array(buffer);
  const machine = new SharedMemory(buffer);
  const hpet = new HpetState(machine);
  return ({ thread, lock, site, held }: Waiter): Circumstances => {
    const header = headerAt(map.statistics, map.statisticsSlots, thread);
    let sites = 0;
    const passed = new Set([site]);
    for (let each = 0; each < LOCK_COUNT; each++) {
      if (!(held & (1 << each))) continue;
      const taken = times[header + LAST_SITE + each];
      passed.add(taken);
      sites |= taken << (each * SITE_BITS);
    }
    const works = [MMIO_READ, MMIO_WRITE, TIMER_CALLBACK].some((each) => passed.has(each));
    const work = works ? times[header + LAST_WORK] : 0;
    machine.select(machineAt(map, slotAt(map, lock)));
    const timer = timerOf(work);
    return { sites, work, gsi: timer === undefined ? -1 : (lineOf(hpet, timer) ?? -1) };
  };
}

/** What a thread executes, in the words of a report. */
export function describeWork({ work, gsi }: Circumstances, site: string, sites: readonly string[]) {
  const isWrite = site === CALL_SITES[MMIO_WRITE] || sites.includes(CALL_SITES[MMIO_WRITE]);
  return {
    access: work > 0 ? { operation: isWrite ? 'write' : 'read', address: `0x${work.toString(16)}` } : null,
    timer: timerOf(work) ?? null,
    gsi: gsi < 0 ? null : gsi,
  };
}
