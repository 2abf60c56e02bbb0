import { SOURCE_PIT } from '../../../core/devices/gsi/sources.js';
import {
  CONTROL_LEGACY_INPUT,
  CONTROL_PAUSE,
  CONTROL_REMOVE,
  CONTROL_RESET,
  CONTROL_RESTORE,
  CONTROL_SAVE,
} from '../../../core/machine/control-path.js';
import { HPET, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { edgeTimer, pendingLevelTimer, turnOn } from './machines.js';

/** The PIT's output rises. */
const PIT_RISES = { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 + 1 };

/** Control work (path C) against callbacks (path A) and MMIO (path B). */
export const CONTROL: readonly Scenario[] = [
  {
    name: 'legacy-input',
    description: 'the PIT input rises; a vCPU turns legacy replacement on',
    before: [turnOn],
    times: [10_000],
    vcpus: [[write(HPET.CONFIGURATION, HPET.ON | HPET.LEGACY)]],
    control: PIT_RISES,
  },
  {
    name: 'legacy-callback',
    description: 'the PIT input rises; the callback of a timer in legacy mode; a vCPU ends legacy mode',
    // In legacy mode timer 0 drives the PIT's line. The mode ends while both have a change to apply.
    before: [...edgeTimer(0, 4), write(HPET.CONFIGURATION, HPET.ON | HPET.LEGACY)],
    times: [10_000],
    vcpus: [[write(HPET.CONFIGURATION, HPET.ON)]],
    control: PIT_RISES,
  },
  {
    name: 'pause-callback',
    description: 'a pause; the callback of a level timer; a vCPU acknowledges its last interrupt',
    // A pause stops the clock: a callback that is due runs before it or not at all.
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)]],
    control: { work: CONTROL_PAUSE, argument: 0 },
  },
  {
    name: 'remove-callback',
    description: 'the machine is removed; the callback of a level timer; a vCPU acknowledges its last interrupt',
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)]],
    control: { work: CONTROL_REMOVE, argument: 0 },
  },
  {
    name: 'reset-callback',
    description: 'a reset; the callback of a level timer; a vCPU acknowledges its last interrupt',
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)]],
    control: { work: CONTROL_RESET, argument: 0 },
  },
  {
    name: 'reset-write',
    description: 'a reset; a vCPU acknowledges an interrupt and writes the comparator',
    before: pendingLevelTimer,
    times: [15_000],
    vcpus: [[write(HPET.STATUS, 1), write(HPET.comparator(0), 1500)]],
    control: { work: CONTROL_RESET, argument: 0 },
  },
  {
    name: 'restore-callback',
    description: 'a machine is restored; the callback of a level timer; a vCPU acknowledges its last interrupt',
    // The machine goes back to its state at 10 µs. No edge is sent twice, and none for a callback dequeued before the
    // restore.
    before: [...pendingLevelTimer, { work: CONTROL_SAVE, argument: 0 }],
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)]],
    control: { work: CONTROL_RESTORE, argument: 10_000 },
  },
  {
    name: 'save-callback',
    description: 'a snapshot; the callback of a level timer',
    // A snapshot holds the machine before or after a callback, never between. The quiesce gate keeps vCPUs out.
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[]],
    control: { work: CONTROL_SAVE, argument: 0 },
  },
  {
    name: 'save-write',
    description: 'a snapshot; a vCPU acknowledges an interrupt',
    // The quiesce gate separates the two in the server. Here the locks alone must.
    before: pendingLevelTimer,
    times: [15_000],
    vcpus: [[write(HPET.STATUS, 1)]],
    control: { work: CONTROL_SAVE, argument: 0 },
  },
];
