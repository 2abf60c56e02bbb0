import { PROFILES, quirkBits } from '../../../core/devices/quirks.js';
import { acknowledge, line, portWrite, type Scenario } from '../scenario.js';
import { redirect } from './machines.js';

/** An ExtINT message fetches its vector from the 8259 pair that is being masked. */
export const extintPic: Scenario = {
  name: 'extint-pic',
  description: 'an external edge; a vCPU masks the request at the 8259 pair; another acknowledges',
  machine: { quirks: quirkBits(PROFILES['qemu-11.1']) },
  before: [...redirect(0, 0x700), portWrite(0x20, 0x11), portWrite(0x21, 0x30), portWrite(0x21, 4), portWrite(0x21, 1)],
  times: [10_000],
  vcpus: [[line(4, 1)], [portWrite(0x21, 0x10), acknowledge]],
};
