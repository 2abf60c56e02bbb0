import * as R from '../../../core/devices/hpet/registers.js';
import {
  COUNTER,
  EXPIRED_FLAG,
  HpetState,
  T_COMPARATOR,
  T_FLAGS,
  T_PERIOD,
  T_TARGET,
  WRAP_FLAG,
} from '../../../core/devices/hpet/state.js';
import { QUIRKS } from '../../../core/devices/quirks.js';
import { BqlLoad } from '../../../core/machine/bql-load.js';
import { Clock } from '../../../core/machine/clock.js';
import { isAlive } from '../../../core/machine/configuration.js';
import { Kicks } from '../../../core/machine/kicks.js';
import { TIMER_COUNT } from '../../../core/machine/timer-list.js';
import { BQL, DEVICE } from '../../../core/sync/lock-names.js';
import { lockAddress } from '../../../core/sync/locks.js';
import { HEAD } from '../../../runtime/events/event-ring.js';
import { LOAD_THREAD, MAIN_LOOP_THREAD } from '../../../runtime/threads/shared-map.js';
import { armedDeadline } from '../armed-deadline.js';
import type { Fixture } from '../fixture.js';
import * as H from '../history.js';
import type { MakeOracle, Oracle } from '../oracle.js';
import { StateView } from '../state-view.js';
import { type System, WAITING } from '../system.js';

/**
 * The main loop holds the BQL whenever it starts a callback or a piece of control work. It first checks for room in the
 * event ring, which marks the start: in the middle, where it asks for room for more, it holds another lock. `unheld
 * release` checks the end of the last one.
 */
function bqlRegained({ names, map }: Fixture): Oracle {
  return {
    name: 'BQL regained',
    beforeAction({ state, threads }, thread, node, report) {
      if (node.kind !== H.LOAD || node.address !== map.eventRing + HEAD) return;
      const { id, name } = threads[thread];
      if (id !== MAIN_LOOP_THREAD || names.locksHeldBy(state, id).length > 0 || isDraining(node)) return;
      report({ kind: 'assertion', summary: `${name} continues with its next callback without the BQL` });
    },
  };

  /** Before it saves a machine, the main loop runs the kicked callbacks of vCPU threads. */
  function isDraining(node: H.HistoryNode): boolean {
    for (let at = node.parent; at; at = at.parent) {
      if (at.kind === H.ADD && names.word(at.address) === 'dueWork.draining') return at.a > 0;
    }
    return false;
  }
}

/**
 * Informative: the main loop releases the BQL inside its critical section, and another thread acquires it before the
 * main loop does again. State that the main loop read before may have changed.
 */
function atomicity({ names, scenario }: Fixture): Oracle {
  const bql = names.machine + lockAddress(BQL);
  const device = names.machine + lockAddress(DEVICE);
  return {
    name: 'atomicity',
    afterTransition({ state, threads, nodes }, thread, report) {
      if (scenario.lockers || threads[thread].id === MAIN_LOOP_THREAD) return;
      if (names.ownerOf(state, BQL) !== threads[thread].id) return;
      const mainLoop = threads.findIndex(({ id }) => id === MAIN_LOOP_THREAD);
      if (!isInsideSection(nodes[mainLoop], bql, device)) return;
      const summary = `${threads[thread].name} has the bql inside the main loop's section`;
      report({ kind: 'atomicity', summary, key: 'bql' });
    },
  };
}

/** Whether the thread has held the BQL in this step and is about to take the mutex, or the BQL after the mutex. */
function isInsideSection(node: H.HistoryNode, bql: number, device: number): boolean {
  if (!H.isAcquisition(node) || (node.address !== bql && node.address !== device)) return false;
  let tookMutex = node.address === device;
  for (let at = node.parent; at; at = at.parent) {
    if (at.address === device && H.isAcquisition(at)) tookMutex = true;
    if (at.address === bql && H.isAcquisition(at) && tookMutex) return true;
  }
  return false;
}

/**
 * At rest, no due callback is left on the timer list or with a vCPU thread. The clock may advance between the main
 * loop's read and its sleep; it then wakes late, for the right deadline.
 */
function unfired({ names, scenario }: Fixture): Oracle {
  return {
    name: 'unfired',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const { times, now } = system.execution.clock;
      const memory = new StateView(system.state, times[now]);
      memory.select(names.machine);
      // No thread runs the callbacks of a removed or frozen machine.
      if (!isAlive(memory)) return;
      const clock = new Clock(memory);
      if (!new Kicks(memory).isEmpty)
        report({ kind: 'linearizability', summary: 'a callback is left for a vCPU thread' });
      if (!clock.isTicking()) return;
      for (let timer = 0; timer < TIMER_COUNT; timer++) {
        const deadline = armedDeadline(names, system.state, timer);
        if (deadline === undefined || deadline > clock.now() || isAwaited(system, deadline)) continue;
        report({ kind: 'linearizability', summary: `timer ${timer} is due and does not fire` });
      }
    },
  };
}

/** Whether the main loop sleeps until `deadline`, counted from a time at which it may have read the clock. */
function isAwaited({ threads, nodes, status, waitingSince, execution }: System, deadline: number): boolean {
  const mainLoop = threads.findIndex(({ id }) => id === MAIN_LOOP_THREAD);
  if (status[mainLoop] < WAITING) return false;
  const timeout = nodes[mainLoop].b;
  return execution.clock.times.some((time, at) => at <= waitingSince[mainLoop] && time + timeout === deadline);
}

/** The main loop never comes to the BQL while the load thread holds it: it has other machines to serve. */
function unheld({ names }: Fixture): Oracle {
  const bql = names.machine + lockAddress(BQL);
  return {
    name: 'unheld',
    afterTransition({ state, threads, nodes }, _, report) {
      const mainLoop = threads.findIndex(({ id }) => id === MAIN_LOOP_THREAD);
      const node = nodes[mainLoop];
      if (node?.address !== bql || !H.isAcquisition(node) || names.ownerOf(state, BQL) !== LOAD_THREAD) return;
      report({ kind: 'assertion', summary: 'the main loop waits for the end of a hold', key: 'unheld' });
    },
  };
}

/** At rest, no hold is due: the main loop has woken the load thread up. */
function holdsBegin({ names }: Fixture): Oracle {
  return {
    name: 'holds begin',
    atRest(system, report) {
      if (!system.threads.some(({ id }) => id === LOAD_THREAD) || system.stuck().length > 0) return;
      const { times, now } = system.execution.clock;
      const memory = new StateView(system.state, times[now]);
      memory.select(names.machine);
      if (!isAlive(memory) || new BqlLoad(memory).nextHold() > times[now]) return;
      report({ kind: 'linearizability', summary: 'a hold of background work is due and does not begin' });
    },
  };
}

/** Quirks that delay deadlines, or arm a timer that never matches. */
const EXEMPT =
  QUIRKS['min-1us'] | QUIRKS['periodic-double'] | QUIRKS['huge-comparator'] | QUIRKS['expired-fires-again'];

/** Low half and high half of a 64-bit register. */
function wide(state: HpetState, timer: number, field: number): bigint {
  return halves(state.get(timer, field), state.get(timer, field + 1));
}

function halves(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/**
 * At rest, what is armed is a function of the registers: the time at which the counter meets the comparator, or with
 * WRAP_FLAG the wrap before it; and nothing while the HPET is off or after a one-shot match.
 */
function deadlines(fixture: Fixture): Oracle {
  return {
    name: 'deadlines',
    atRest(system, report) {
      if (fixture.scenario.lockers || system.stuck().length > 0) return;
      const memory = new StateView(system.state, 0);
      memory.select(fixture.names.machine);
      const state = new HpetState(memory);
      if (state.hasQuirk(EXEMPT)) return;
      const offset = halves(memory.load(COUNTER + 1), memory.load(COUNTER + 2));
      for (let timer = 0; timer < state.timers; timer++) {
        const armed = armedDeadline(fixture.names, system.state, timer);
        const problem = judge(state, timer, armed, offset);
        if (problem) report({ kind: 'linearizability', summary: `timer ${timer} is ${problem}` });
      }
    },
  };
}

function judge(state: HpetState, timer: number, armed: number | undefined, offset: bigint): string | false {
  if (!state.isOn()) return armed !== undefined && 'armed while the HPET is off';
  const flags = state.get(timer, T_FLAGS);
  if (state.isUnobserved(timer)) return armed !== undefined && 'armed, and nobody observes it';
  const repeats = state.isPeriodic(timer) && wide(state, timer, T_PERIOD) !== 0n;
  if (armed === undefined) return repeats && 'periodic, and not armed';
  if (flags & EXPIRED_FLAG && !repeats) return 'armed after its match';
  let target = wide(state, timer, T_TARGET);
  const comparator = wide(state, timer, T_COMPARATOR);
  const mask = state.is32Bit(timer) ? 0xffff_ffffn : (1n << 64n) - 1n;
  if ((target & mask) !== (comparator & mask)) return 'armed for another tick than its comparator';
  if (flags & WRAP_FLAG) target = (target >> 32n) << 32n;
  const deadline = BigInt.asIntN(64, target * BigInt(R.TICK_NS) - offset);
  return deadline !== BigInt(armed) && `armed for ${armed} ns, and its registers say ${deadline}`;
}

/** The main loop: its hold of the BQL, the deadlines that it serves, and the load thread beside it. */
export const MAIN_LOOP_ORACLES: readonly MakeOracle[] = [
  bqlRegained,
  atomicity,
  unfired,
  unheld,
  holdsBegin,
  deadlines,
];
