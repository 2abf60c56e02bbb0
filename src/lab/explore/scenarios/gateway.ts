import { EVENT_APIC } from '../../../core/machine/events.js';
import { causing, endOfInterrupt, HPET, line, portWrite, read, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { edgeTimer, pendingLevelTimer, redirect, turnOn } from './machines.js';

/** A port of no device: a request for a vCPU thread that takes no lock. */
const UNUSED_PORT = 0x80;

/** The gateway as a thread of its own: order of replies and interrupts, inline execution, and a full event ring. */
export const GATEWAY: readonly Scenario[] = [
  {
    name: 'reply-order',
    description: 'a vCPU raises two lines over its socket; the gateway delivers interrupts and replies',
    // A client receives the interrupt that its request caused before the reply.
    gateway: { execution: 'threads' },
    before: [...redirect(5, 0x35), ...redirect(6, 0x36)],
    times: [10_000],
    vcpus: [[causing(line(5, 1), EVENT_APIC, 5), causing(line(6, 1), EVENT_APIC, 6)]],
  },
  {
    name: 'reply-callback',
    description: 'the callback of an edge timer; a vCPU raises a line over its socket; the gateway delivers both',
    // Another thread's incomplete event may precede the one that belongs before the reply.
    gateway: { execution: 'threads' },
    before: [...edgeTimer(0, 4), ...redirect(5, 0x35), turnOn],
    times: [10_000],
    vcpus: [[causing(line(5, 1), EVENT_APIC, 5)]],
    preemptions: 2,
  },
  {
    name: 'inline-lane',
    description:
      'the callback of a level timer; a vCPU writes a configuration and reads it back, on the gateway or not',
    // Inline execution must not overtake dispatched requests of the same vCPU, nor wait for a lock.
    gateway: { execution: 'auto' },
    before: pendingLevelTimer,
    times: [20_000],
    vcpus: [[write(HPET.timer(0), HPET.LEVEL | HPET.PERIODIC | HPET.route(4)), read(HPET.timer(0))]],
    preemptions: 2,
  },
  {
    name: 'inline-order',
    description:
      'a vCPU writes a port and raises a line, on its thread; another one raises two lines, on the gateway or not',
    // Inline execution for one vCPU must not let another vCPU's interrupts overtake that vCPU's replies.
    gateway: { execution: 'auto' },
    framesHaveCome: true,
    before: [...redirect(5, 0x35), ...redirect(6, 0x36), ...redirect(7, 0x37)],
    times: [10_000],
    vcpus: [
      [portWrite(UNUSED_PORT, 0), causing(line(5, 1), EVENT_APIC, 5)],
      [causing(line(6, 1), EVENT_APIC, 6), causing(line(7, 1), EVENT_APIC, 7)],
    ],
    preemptions: 2,
  },
  {
    name: 'ring-full',
    description: 'the callbacks of two edge timers; the event ring has room for one of them',
    // The main loop does not wait for room: it defers the second callback, and the gateway kicks it after it has delivered
    // the events of the first.
    gateway: { execution: 'threads' },
    events: { capacity: 8, burst: 2, slice: 2 },
    before: [...edgeTimer(0, 4), ...edgeTimer(1, 5), turnOn],
    times: [10_000],
    vcpus: [[]],
    // Where a vCPU thread runs the callbacks, it defers them beside the main loop.
    preemptions: ({ timer }) => (timer.kicks ? 1 : undefined),
  },
  {
    name: 'ring-burst',
    description:
      'the EOI of a vCPU delivers three level interrupts again: more than a burst, and more than the event ring has room for',
    // Its thread waits for room with its locks held: the gateway, which makes room, waits for none.
    gateway: { execution: 'threads' },
    framesHaveCome: true,
    events: { capacity: 4, burst: 1, slice: 2 },
    before: [5, 6, 7].flatMap((pin) => [...redirect(pin, 0x8035), line(pin, 1)]),
    times: [10_000],
    vcpus: [[endOfInterrupt(0x35)]],
  },
  {
    name: 'ring-held',
    description: 'a vCPU raises two lines over its socket; the event ring has no room for their events yet',
    // Its thread does not wait for room: it returns the requests, and the gateway submits them again, in order.
    gateway: { execution: 'threads' },
    framesHaveCome: true,
    events: { capacity: 8, burst: 2, slice: 2 },
    // The events of the last step are not delivered yet.
    before: [...redirect(5, 0x35), ...redirect(6, 0x36), ...redirect(7, 0x37), line(7, 1)],
    times: [10_000],
    vcpus: [[causing(line(5, 1), EVENT_APIC, 5), causing(line(6, 1), EVENT_APIC, 6)]],
    preemptions: 1,
  },
];
