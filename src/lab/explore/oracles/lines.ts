import { GSI_COUNT, GsiRouter, HPET_BITS, LINES } from '../../../core/devices/gsi/router.js';
import { SOURCE_PIT, SOURCE_RTC } from '../../../core/devices/gsi/sources.js';
import * as R from '../../../core/devices/hpet/registers.js';
import { HpetState, PIT_LEVEL, RTC_LEVEL, T_CONFIGURATION } from '../../../core/devices/hpet/state.js';
import { Ioapic } from '../../../core/devices/ioapic/ioapic.js';
import { QUIRKS } from '../../../core/devices/quirks.js';
import type { Design } from '../../../core/locking/axes.js';
import { LineDecisions } from '../../../core/locking/line-decisions.js';
import { LineQueue } from '../../../core/locking/line-queue.js';
import { CONTROL_RESTORE, CONTROL_SAVE } from '../../../core/machine/control-path.js';
import { MACHINE_WORDS } from '../../../core/memory/map.js';
import { ROUTER } from '../../../core/sync/lock-names.js';
import { lockAddress } from '../../../core/sync/locks.js';
import { HEAD, TAIL } from '../../../runtime/events/event-ring.js';
import type { Fixture } from '../fixture.js';
import * as H from '../history.js';
import type { MakeOracle, Oracle } from '../oracle.js';
import { StateView } from '../state-view.js';

/** Quirks under which a line is by design not the OR of its sources. */
const EXEMPT = QUIRKS['last-writer-wins'] | QUIRKS['shared-line-drops'] | QUIRKS['stale-line'];

/** At rest, sources match the registers, each line is the OR of its sources, and IOAPIC inputs match their lines. */
function lines({ names, scenario }: Fixture): Oracle {
  return {
    name: 'lines',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const memory = new StateView(system.state, 0);
      memory.select(names.machine);
      const state = new HpetState(memory);
      if (state.hasQuirk(EXEMPT)) return;
      const router = new GsiRouter(memory, { lineChanged() {}, driveInput() {} });
      const ioapic = new Ioapic(memory, NO_PORTS);
      let word = '';
      const found = (summary: string) => report({ kind: 'linearizability', summary, word });
      for (let line = 0; line < LINES; line++) {
        word = `router.sources[${line}]`;
        const sources = router.sources(line);
        const wanted = wantedSources(state, line);
        if ((sources & HPET_BITS) !== wanted) found(`line ${line}: its sources are not what the registers say`);
        const level = sources === 0 ? 0 : 1;
        if (router.level(line) !== level) found(`line ${line}: it is not the OR of its sources`);
        // GSI 0 acts on pin 2, and so does GSI 2; a Xen filter adds a level of its own.
        if (line >= GSI_COUNT || line === 0 || line === 2 || scenario.machine?.xen) continue;
        if (ioapic.inputLevel(line) !== level) found(`line ${line}: the IOAPIC's input is not what the line is`);
      }
    },
  };
}

const NO_PORTS = {
  now: () => 0,
  send() {},
  acknowledgeExtInt: () => 0,
  delayService() {},
  cancelDelayedService() {},
  coalesced() {},
};

/** The sources that hold a line, bit n for source n, by the HPET's registers. */
function wantedSources(state: HpetState, line: number): number {
  const legacy = state.isLegacy();
  let wanted = 0;
  for (let timer = 0; timer < state.timers; timer++) {
    const configuration = state.get(timer, T_CONFIGURATION);
    if (!state.isPending(timer) || !state.isEnabled(timer) || !state.isLevel(timer)) continue;
    if (configuration & R.FSB_EN_CNF) continue;
    const routed = (configuration >> R.INT_ROUTE_SHIFT) & R.INT_ROUTE_MASK;
    const replaced = timer === 0 ? R.LEGACY_PIT_LINE : R.LEGACY_RTC_LINE;
    if ((legacy && timer <= 1 ? replaced : routed) === line) wanted |= 1 << timer;
  }
  if (legacy) return wanted;
  if (line === R.LEGACY_PIT_LINE && state.memory.get(PIT_LEVEL)) wanted |= 1 << SOURCE_PIT;
  if (line === R.LEGACY_RTC_LINE && state.memory.get(RTC_LEVEL)) wanted |= 1 << SOURCE_RTC;
  return wanted;
}

/**
 * A deferred line change was applied when its source had decided otherwise (late), or after that decision (inverted).
 */
function stale(fixture: Fixture): Oracle {
  return {
    name: 'stale',
    atRest(system, report) {
      const memory = new StateView(system.state, 0);
      memory.select(fixture.names.machine);
      const { late, inverted } = new LineDecisions(memory).counts();
      const found = (word: string, summary: string) => report({ kind: 'stale', summary, word });
      if (inverted > 0) found('deferred.inverted[0]', 'an older line change is applied after a newer one (inverted)');
      if (late > 0) found('deferred.late[0]', 'a line change is applied when its source has changed again (late)');
    },
  };
}

/** At rest, every deferred line change was applied exactly once: none is pending, lost or duplicated. */
function deferredOnce({ names, scenario }: Fixture, { irq }: Design): Oracle {
  return {
    name: 'deferred once',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const memory = new StateView(system.state, 0);
      memory.select(names.machine);
      if (!new LineQueue(memory).isEmpty)
        report({ kind: 'linearizability', summary: 'a line change is left in the queue' });
      if (!irq.numbered) return;
      const decisions = new LineDecisions(memory);
      const { decided, pulses } = decisions.made();
      const { total } = decisions.counts();
      if (pulses > 0) report({ kind: 'linearizability', summary: `${pulses} edges were deferred and never applied` });
      if (decided > total)
        report({ kind: 'linearizability', summary: `${decided - total} deferred line changes were never applied` });
    },
  };
}

/** A snapshot or restore emits no event: events before the snapshot are not emitted again. */
function snapshotSilent({ names, map, scenario }: Fixture): Oracle {
  const work = scenario.control?.work;
  const tail = map.eventRing + TAIL;
  const router = names.machine + lockAddress(ROUTER);
  return {
    name: 'snapshot silent',
    beforeAction({ threads }, thread, node, report) {
      if (node.kind !== H.ADD || node.address !== tail) return;
      if ((work === CONTROL_SAVE || work === CONTROL_RESTORE) && isTransferring(node)) {
        const what = work === CONTROL_SAVE ? 'a snapshot' : 'a restore';
        report({ kind: 'linearizability', summary: `${threads[thread].name} emits an event in the middle of ${what}` });
      }
    },
  };

  /**
   * Whether the thread has accessed the transfer area since it last checked for room in the event ring, and has not
   * released the router's lock since. It checks for room before each callback and each piece of control work.
   */
  function isTransferring(node: H.HistoryNode): boolean {
    for (let at = node.parent; at; at = at.parent) {
      if (at.address >= map.transfer && at.address < map.transfer + MACHINE_WORDS) return true;
      if (at.kind === H.LOAD && at.address === map.eventRing + HEAD) return false;
      if (at.kind === H.EXCHANGE && at.a === 0 && at.address === router) return false;
    }
    return false;
  }
}

/** Levels and edges of GSI lines. */
export const LINE_ORACLES: readonly MakeOracle[] = [lines, stale, deferredOnce, snapshotSilent];
