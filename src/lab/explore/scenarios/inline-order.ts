import { EVENT_APIC } from '../../../core/machine/events.js';
import { line, portWrite, type Scenario, telling } from '../scenario.js';
import { redirect } from './machines.js';

/** A port of no device: a request for a vCPU thread that takes no lock. */
const NOWHERE = 0x80;

/** What one vCPU has carried out on the gateway must not let the interrupts of another overtake that one's replies. */
export const inlineOrder: Scenario = {
  name: 'inline-order',
  description:
    'a vCPU writes a port and raises a line, on its thread; another one raises two lines, on the gateway or not',
  gateway: { execution: 'auto' },
  framesHaveCome: true,
  before: [...redirect(5, 0x35), ...redirect(6, 0x36), ...redirect(7, 0x37)],
  times: [10_000],
  vcpus: [
    [portWrite(NOWHERE, 0), telling(line(5, 1), EVENT_APIC, 5)],
    [telling(line(6, 1), EVENT_APIC, 6), telling(line(7, 1), EVENT_APIC, 7)],
  ],
  preemptions: 2,
};
