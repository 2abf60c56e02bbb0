import { CONTROL_REMOVE, CONTROL_RESET } from '../../../core/machine/control-path.js';
import { HPET, read } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { oneShot, redirect, turnOn } from './machines.js';

/** The first hold is due from the start, the next one never within the scenario. */
const load = { duty: 500, hold: 5000, burn: false } as const;

/** A one-shot edge timer, due at 10 µs. The main loop has let the load thread in. */
const dueTimer = [...oneShot(0, 4, 1000), ...redirect(4, 0x31), turnOn, { mainLoopAt: 1000 }];

/**
 * Background work of a machine under its BQL, on the load thread. The main loop does not wait for a hold, and neither
 * thread loses the other's wakeup.
 */
export const BACKGROUND_LOAD: readonly Scenario[] = [
  {
    name: 'hold-callback',
    description: 'the load thread holds the BQL; the callback of a one-shot edge timer; a vCPU reads the status',
    machine: { load },
    before: dueTimer,
    times: [10_000],
    vcpus: [[read(HPET.STATUS)]],
  },
  {
    name: 'hold-reset',
    description: 'the load thread holds the BQL; a reset',
    machine: { load },
    before: [turnOn],
    times: [10_000],
    vcpus: [],
    control: { work: CONTROL_RESET, argument: 0 },
  },
  {
    name: 'hold-remove',
    description: 'the load thread holds the BQL; the machine is removed; the callback of a one-shot edge timer',
    machine: { load },
    before: dueTimer,
    times: [10_000],
    vcpus: [],
    control: { work: CONTROL_REMOVE, argument: 0 },
  },
];
