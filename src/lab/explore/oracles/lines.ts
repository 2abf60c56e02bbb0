import { GSI_COUNT, GsiRouter, HPET_BITS, LINES } from '../../../core/devices/gsi/router.js';
import { SOURCE_PIT, SOURCE_RTC } from '../../../core/devices/gsi/sources.js';
import * as R from '../../../core/devices/hpet/registers.js';
import { HpetState, PIT_LEVEL, RTC_LEVEL, T_CONFIGURATION } from '../../../core/devices/hpet/state.js';
import { Ioapic } from '../../../core/devices/ioapic/ioapic.js';
import { QUIRKS } from '../../../core/devices/quirks.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { StillMemory } from '../still-memory.js';

/** Quirks under which a line is, by design, something else than the OR of its sources. */
const EXEMPT = QUIRKS['last-writer-wins'] | QUIRKS['shared-line-drops'] | QUIRKS['stale-line'];

/** At rest, every source is what the registers say, every line the OR of its sources, and every input what its line is. */
export function lines({ names, scenario }: Laboratory): Oracle {
  return {
    name: 'lines',
    atRest(system, report) {
      if (scenario.lockers || system.stuck().length > 0) return;
      const memory = new StillMemory(system.words, 0);
      memory.select(names.machine);
      const state = new HpetState(memory);
      if (state.hasQuirk(EXEMPT)) return;
      const router = new GsiRouter(memory, { lineChanged() {}, driveInput() {} });
      const ioapic = new Ioapic(memory, NO_PORTS);
      const tell = (summary: string) => report({ kind: 'linearizability', summary });
      for (let line = 0; line < LINES; line++) {
        const sources = router.sources(line);
        const wanted = wantedSources(state, line);
        if ((sources & HPET_BITS) !== wanted) tell(`line ${line}: its sources are not what the registers say`);
        const level = sources === 0 ? 0 : 1;
        if (router.level(line) !== level) tell(`line ${line}: it is not the OR of its sources`);
        // GSI 0 acts on pin 2, and so does GSI 2; a Xen filter adds a level of its own.
        if (line >= GSI_COUNT || line === 0 || line === 2 || scenario.machine?.xen) continue;
        if (ioapic.inputLevel(line) !== level) tell(`line ${line}: the IOAPIC's input is not what the line is`);
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
