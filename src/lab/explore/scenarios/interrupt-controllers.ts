import { MASKED, TRIGGER_LEVEL } from '../../../core/devices/ioapic/registers.js';
import { PROFILES, quirkBits } from '../../../core/devices/quirks.js';
import { acknowledge, endOfInterrupt, IOAPIC, line, logicalId, portWrite, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { redirect } from './machines.js';

const VECTOR = 0x35;
const LEVEL_ENTRY = VECTOR | TRIGGER_LEVEL;
const MASKED_ENTRY = LEVEL_ENTRY | MASKED;
const LOGICAL = 1 << 11;
/** After this many EOIs with the line still high, the IOAPIC waits 10 ms before it sends again. */
const STORM = Array.from({ length: 10_000 }, () => endOfInterrupt(VECTOR));

/** EOI, masking and acknowledge cycles against an external driver of the same input. */
export const INTERRUPT_CONTROLLERS: readonly Scenario[] = [
  {
    name: 'line-eoi',
    description: 'a vCPU sends the EOI of a level line; an external driver lowers and raises it',
    // Only the EOI can send the interrupt that became pending meanwhile.
    before: [...redirect(5, LEVEL_ENTRY), line(5, 1)],
    times: [10_000],
    vcpus: [[endOfInterrupt(VECTOR)], [line(5, 0), line(5, 1)]],
  },
  {
    name: 'mask-line-eoi',
    description:
      'a vCPU masks and unmasks a level entry and sends the EOI; an external driver lowers and raises the line',
    // Both threads use one redirection entry: no request may be lost or sent twice.
    before: [...redirect(5, LEVEL_ENTRY), line(5, 1)],
    times: [10_000],
    vcpus: [
      [write(IOAPIC.WINDOW, MASKED_ENTRY, 4), endOfInterrupt(VECTOR), write(IOAPIC.WINDOW, LEVEL_ENTRY, 4)],
      [line(5, 0), line(5, 1)],
    ],
  },
  {
    name: 'line-apic',
    description:
      'an external driver raises a level line; a vCPU gets the logical id of its destination, and sends EOIs',
    // The request waits for a recipient: whichever of the two comes second sends it.
    machine: { vcpus: 2 },
    before: [
      write(IOAPIC.SELECT, IOAPIC.entry(5) + 1, 4),
      write(IOAPIC.WINDOW, 2 << 24, 4),
      ...redirect(5, LEVEL_ENTRY | LOGICAL),
    ],
    times: [10_000],
    vcpus: [[logicalId(1, 2), endOfInterrupt(VECTOR), logicalId(1, 0)], [line(5, 1)]],
  },
  {
    name: 'storm-eoi',
    description: 'the storm timer of the IOAPIC; a vCPU sends an EOI; an external driver lowers and raises the line',
    // A line that stays high is served late. Its timer, an EOI and the line itself must agree on whether it is sent.
    machine: { quirks: quirkBits(PROFILES['qemu-11.1']) },
    before: [{ mainLoopAt: 0 }, ...redirect(5, LEVEL_ENTRY), line(5, 1), ...STORM, { mainLoopAt: 1000 }],
    times: [10_000_000],
    vcpus: [[endOfInterrupt(VECTOR)], [line(5, 0), line(5, 1)]],
  },
  {
    name: 'extint-pic',
    description: 'an external edge; a vCPU masks the request at the 8259 pair; another acknowledges',
    // An ExtINT message fetches its vector from an 8259 pair that is being masked.
    machine: { quirks: quirkBits(PROFILES['qemu-11.1']) },
    before: [
      ...redirect(0, 0x700),
      portWrite(0x20, 0x11),
      portWrite(0x21, 0x30),
      portWrite(0x21, 4),
      portWrite(0x21, 1),
    ],
    times: [10_000],
    vcpus: [[line(4, 1)], [portWrite(0x21, 0x10), acknowledge]],
  },
];
