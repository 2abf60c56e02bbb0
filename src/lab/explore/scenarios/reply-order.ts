import { EVENT_APIC } from '../../../core/machine/events.js';
import { line, type Scenario, telling } from '../scenario.js';
import { redirect } from './machines.js';

/** A client sees the interrupt that its request caused before the reply. */
export const replyOrder: Scenario = {
  name: 'reply-order',
  description: 'a vCPU raises two lines over its socket; the gateway hands over interrupts and replies',
  gateway: { execution: 'threads' },
  before: [...redirect(5, 0x35), ...redirect(6, 0x36)],
  times: [10_000],
  vcpus: [[telling(line(5, 1), EVENT_APIC, 5), telling(line(6, 1), EVENT_APIC, 6)]],
};
