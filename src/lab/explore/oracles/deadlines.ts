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
import { armedDeadline } from '../armed-deadline.js';
import type { Laboratory } from '../laboratory.js';
import type { Oracle } from '../oracle.js';
import { StillMemory } from '../still-memory.js';

/** Quirks that put deadlines off, or arm what the counter does not meet. */
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
export function deadlines(lab: Laboratory): Oracle {
  return {
    name: 'deadlines',
    atRest(system, report) {
      if (lab.scenario.lockers || system.stuck().length > 0) return;
      const memory = new StillMemory(system.words, 0);
      memory.select(lab.names.machine);
      const state = new HpetState(memory);
      if (state.hasQuirk(EXEMPT)) return;
      const offset = halves(memory.load(COUNTER + 1), memory.load(COUNTER + 2));
      for (let timer = 0; timer < state.timers; timer++) {
        const armed = armedDeadline(lab.names, system.words, timer);
        const problem = judge(state, timer, armed, offset);
        if (problem) report({ kind: 'linearizability', summary: `timer ${timer} is ${problem}` });
      }
    },
  };
}

function judge(state: HpetState, timer: number, armed: number | undefined, offset: bigint): string | false {
  if (!state.isOn()) return armed !== undefined && 'armed while the HPET is off';
  const flags = state.get(timer, T_FLAGS);
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
