import { MASKED, TRIGGER_LEVEL } from '../../../core/devices/ioapic/registers.js';
import { endOfInterrupt, line, type Scenario, write } from '../scenario.js';
import { IOAPIC } from './addresses.js';
import { redirect } from './machines.js';

const LEVEL_ENTRY = 0x35 | TRIGGER_LEVEL;
const MASKED_ENTRY = LEVEL_ENTRY | MASKED;

/** The redirection entry of a level line, from both sides: no request may be lost or sent twice. */
export const maskLineEoi: Scenario = {
  name: 'mask-line-eoi',
  description:
    'a vCPU masks and unmasks a level entry and sends the EOI; an external driver lowers and raises the line',
  before: [...redirect(5, LEVEL_ENTRY), line(5, 1)],
  times: [10_000],
  vcpus: [
    [write(IOAPIC.WINDOW, MASKED_ENTRY, 4), endOfInterrupt(0x35), write(IOAPIC.WINDOW, LEVEL_ENTRY, 4)],
    [line(5, 0), line(5, 1)],
  ],
};
