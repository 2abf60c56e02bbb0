import { PROFILES, quirkBits } from '../../../core/devices/quirks.js';
import { HPET, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { oneShot, redirect, turnOn } from './machines.js';

/** A 32-bit one-shot timer also fires at the wrap. */
const wrapFires = { quirks: quirkBits(PROFILES['qemu-11.1']) };

/** A 32-bit one-shot whose counter wraps at 2,560 ns, in its low half, before the comparator matches. */
const wrappingTimer = [
  write(HPET.COUNTER, 0xffff_ff00),
  write(HPET.timer(0), HPET.ENABLE | HPET.BITS_32 | HPET.route(4)),
  write(HPET.comparator(0), 0x80),
  turnOn,
];

/** Arming of timers: which deadline the main loop sleeps for, and how often each arming fires. */
export const DEADLINES: readonly Scenario[] = [
  {
    name: 'arm-earlier',
    description: 'the main loop goes to sleep; a vCPU arms an earlier deadline, which then comes',
    // The main loop is about to sleep until a late deadline. The wakeup for the earlier one must not be lost.
    before: [...oneShot(0, 4, 1_000_000), ...redirect(4, 0x31), turnOn, { mainLoopAt: 1000 }],
    times: [1000, 60_000],
    vcpus: [[write(HPET.comparator(0), 5000)]],
  },
  {
    name: 'equal-deadlines',
    description: 'two vCPUs arm two timers for the same deadline, which has come',
    // Both must fire, each once.
    before: [...oneShot(0, 4, 1_000_000), ...oneShot(1, 5, 1_000_000), turnOn],
    times: [60_000],
    vcpus: [[write(HPET.comparator(0), 5000)], [write(HPET.comparator(1), 5000)]],
  },
  {
    name: 'rearm-due',
    description: 'the callback of a one-shot edge timer; a vCPU arms it again for the same tick, which has come',
    // Each arming fires at most once, also where two armings of a timer are due before the first has run.
    before: [...oneShot(0, 4, 1000), ...redirect(4, 0x31), turnOn],
    times: [10_000],
    vcpus: [[write(HPET.comparator(0), 1000)]],
  },
  {
    name: 'wrap-rearm',
    description: 'the wrap callback of a 32-bit timer; a vCPU writes its comparator',
    machine: wrapFires,
    before: wrappingTimer,
    times: [2600],
    vcpus: [[write(HPET.comparator(0), 0x200)]],
  },
  {
    name: 'wrap-ticks',
    description: 'a 32-bit timer is written while the clock goes from one tick before a wrap to one tick after',
    machine: wrapFires,
    before: wrappingTimer,
    times: [2550, 2560, 2570],
    vcpus: [[write(HPET.comparator(0), 0)]],
  },
];
