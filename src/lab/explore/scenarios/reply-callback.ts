import { EVENT_APIC } from '../../../core/machine/events.js';
import { line, type Scenario, telling } from '../scenario.js';
import { edgeTimer, redirect, turnOn } from './machines.js';

/** Another thread's event may still be incomplete in front of the one that belongs before the reply. */
export const replyCallback: Scenario = {
  name: 'reply-callback',
  description: 'the callback of an edge timer; a vCPU raises a line over its socket; the gateway hands over all of it',
  gateway: { execution: 'threads' },
  before: [...edgeTimer(0, 4), ...redirect(5, 0x35), turnOn],
  times: [10_000],
  vcpus: [[telling(line(5, 1), EVENT_APIC, 5)]],
  preemptions: 2,
};
