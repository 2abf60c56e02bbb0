import { TRIGGER_LEVEL } from '../../../core/devices/ioapic/registers.js';
import { PROFILES, quirkBits } from '../../../core/devices/quirks.js';
import { endOfInterrupt, line, type Scenario } from '../scenario.js';
import { redirect } from './machines.js';

const VECTOR = 0x35;
/** After so many EOIs that find the line still high the IOAPIC waits for 10 ms before it sends again. */
const STORM = Array.from({ length: 10_000 }, () => endOfInterrupt(VECTOR));

/** A line that nobody lowers is served late: its timer, an EOI and the line itself must agree on whether it is sent. */
export const stormEoi: Scenario = {
  name: 'storm-eoi',
  description: 'the storm timer of the IOAPIC; a vCPU sends an EOI; an external driver lowers and raises the line',
  machine: { quirks: quirkBits(PROFILES['qemu-11.1']) },
  before: [{ mainLoopAt: 0 }, ...redirect(5, VECTOR | TRIGGER_LEVEL), line(5, 1), ...STORM, { mainLoopAt: 1000 }],
  times: [10_000_000],
  vcpus: [[endOfInterrupt(VECTOR)], [line(5, 0), line(5, 1)]],
};
