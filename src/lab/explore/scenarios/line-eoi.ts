import { TRIGGER_LEVEL } from '../../../core/devices/ioapic/registers.js';
import { endOfInterrupt, line, type Scenario } from '../scenario.js';
import { redirect } from './machines.js';

/** An EOI sends what came meanwhile; nothing else would. */
export const lineEoi: Scenario = {
  name: 'line-eoi',
  description: 'a vCPU sends the EOI of a level line; an external driver lowers and raises it',
  before: [...redirect(5, 0x35 | TRIGGER_LEVEL), line(5, 1)],
  times: [10_000],
  vcpus: [[endOfInterrupt(0x35)], [line(5, 0), line(5, 1)]],
};
