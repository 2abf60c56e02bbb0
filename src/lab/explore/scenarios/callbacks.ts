import { HPET, read, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { edgeTimer, pendingLevelTimer, redirect, turnOn } from './machines.js';

/** A timer callback of the main loop against MMIO of the same timer by a vCPU. */
const fsbSwitch: Scenario = {
  name: 'fsb-switch',
  description: 'the callback of an edge timer; a vCPU switches it to FSB delivery',
  // The timer sends one interrupt, by its line or as an FSB message, and never both.
  before: [...edgeTimer(0, 4), write(HPET.fsbRoute(0), 0x4041), ...redirect(4, 0x31), turnOn],
  times: [10_000],
  vcpus: [[write(HPET.timer(0), HPET.ENABLE | HPET.PERIODIC | HPET.FSB | HPET.route(4))]],
};

export const CALLBACKS: readonly Scenario[] = [
  {
    name: 'callback-acknowledge',
    description: 'the callback of a level timer; a vCPU acknowledges its last interrupt',
    // The line must follow the status bit in either order.
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)]],
  },
  {
    name: 'callback-comparator',
    description: 'the callback of a level timer; a vCPU acknowledges its last interrupt and writes its comparator',
    // The guest re-arms a periodic timer while its next period is due.
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1), write(HPET.comparator(0), 1500)]],
  },
  {
    name: 'callback-disable',
    description: 'the callback of an edge timer; a vCPU turns the HPET off',
    // A disabled timer must not fire, whichever thread comes second.
    before: [...edgeTimer(0, 4), ...redirect(4, 0x31), turnOn],
    times: [10_000],
    vcpus: [[write(HPET.CONFIGURATION, 0)]],
  },
  {
    name: 'comparator-read',
    description: 'the callback of a periodic timer, whose comparator carries into its high half; a vCPU reads it',
    // The callback advances the comparator across 2^32, so both halves of the 64-bit read change.
    before: [
      write(HPET.COUNTER, 0xffff_ff00),
      write(HPET.timer(0), HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET | HPET.route(4)),
      write(HPET.comparator(0), 0xffff_ff80),
      // Without VAL_SET, the write sets the period alone.
      write(HPET.comparator(0), 1000),
      turnOn,
    ],
    times: [2600],
    vcpus: [[read(HPET.comparator(0))]],
  },
  {
    name: 'two-vcpus',
    description: 'the callback of a level timer; one vCPU acknowledges, the other writes its comparator',
    // Three threads in one device.
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)], [write(HPET.comparator(0), 1500)]],
  },
  {
    name: 'deadlock-break',
    description: 'the callback of a level timer; a vCPU acknowledges its last interrupt; deadlocks are broken',
    // The thread that closes a cycle backs off, maybe both at once. Both must complete, and no event may be lost.
    machine: { locks: { onDeadlock: 'break' } },
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)]],
    mutex: 'futex',
  },
  fsbSwitch,
  {
    ...fsbSwitch,
    name: 'generation-check',
    description: `${fsbSwitch.description}; \`timer.generationCheck: false\``,
    // As in QEMU, a callback that was dequeued does not notice that the timer was cancelled meanwhile.
    machine: { generationCheck: false },
  },
];
