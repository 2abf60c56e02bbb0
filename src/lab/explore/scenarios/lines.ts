import { HPET, line, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { edgeTimer, pendingLevelTimer, redirect, turnOn } from './machines.js';

/** Several sources or several threads change GSI lines: levels are ORed, edges are counted. */
export const LINES: readonly Scenario[] = [
  {
    name: 'shared-line',
    description: 'the callback of a level timer; a vCPU acknowledges another one on the same line; a driver lowers it',
    // Three sources on one line. Its level is their OR in every order.
    before: [
      write(HPET.timer(1), HPET.LEVEL | HPET.ENABLE | HPET.route(4)),
      write(HPET.comparator(1), 500),
      ...pendingLevelTimer,
      line(4, 1),
    ],
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 2)], [line(4, 0)]],
  },
  {
    name: 'two-edges',
    description: 'the callbacks of two edge timers on one line; a vCPU turns the HPET off',
    // Two edges on one line are two interrupts, even if one access decides both.
    before: [...edgeTimer(0, 4), ...edgeTimer(1, 4), ...redirect(4, 0x31), turnOn],
    times: [10_000],
    vcpus: [[write(HPET.CONFIGURATION, 0)]],
  },
  {
    name: 'two-flushes',
    description: 'the callback of a level timer; one vCPU acknowledges, the other disables and enables its interrupt',
    // Two vCPUs change one line in opposite directions while a callback raises it: deferred changes may be applied out
    // of order.
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.STATUS, 1)], [write(HPET.timer(0), HPET.LEVEL | HPET.PERIODIC | HPET.route(4))]],
  },
  {
    name: 'queue-drain',
    description: 'the callback of an edge timer; a vCPU acknowledges a level timer; a driver raises another line',
    // A thread that finds the router locked queues a level and an edge. The lock holder must apply both.
    before: [
      write(HPET.timer(1), HPET.LEVEL | HPET.ENABLE | HPET.route(5)),
      write(HPET.comparator(1), 500),
      ...edgeTimer(0, 4),
      turnOn,
      { mainLoopAt: 5000 },
    ],
    times: [10_000],
    vcpus: [[write(HPET.STATUS, 2)], [line(6, 1)]],
  },
];
