import * as G from '../../../core/devices/guest-map.js';
import { TIMER_BLOCK_SIZE, TIMER_BLOCKS } from '../../../core/devices/hpet/registers.js';
import type { InterruptEvent } from '../../../core/machine/events.js';
import * as ring from '../../../runtime/rings/submission-ring.js';
import type { GuestRequest } from '../requests.js';

const TIMER_REGISTERS = ['configuration', 'comparator', 'FSB route'];

/** The register at a guest physical address. */
function registerName(address: number): string {
  switch (address) {
    case G.HPET_CONFIGURATION:
      return 'HPET configuration';
    case G.HPET_STATUS:
      return 'HPET interrupt status';
    case G.HPET_COUNTER:
      return 'HPET main counter';
    case G.IOAPIC_SELECT:
      return 'IOAPIC select';
    case G.IOAPIC_WINDOW:
      return 'IOAPIC window';
    default: {
      const offset = address - G.HPET_BASE - TIMER_BLOCKS;
      if (offset < 0 || address >= G.HPET_BASE + G.HPET_SIZE) return `0x${address.toString(16)}`;
      const register = TIMER_REGISTERS[Math.floor((offset % TIMER_BLOCK_SIZE) / 8)] ?? `+0x${offset.toString(16)}`;
      return `HPET timer ${Math.floor(offset / TIMER_BLOCK_SIZE)} ${register}`;
    }
  }
}

/** A number as a guest programmer writes it. */
function hex(value: number): string {
  return value < 10 ? `${value}` : `0x${value.toString(16)}`;
}

/** What a vCPU does with a request: `writes 1 to HPET interrupt status`. */
export function requestInWords({ operation, address, value }: GuestRequest): string {
  switch (operation) {
    case ring.READ:
      return `reads ${registerName(address)}`;
    case ring.WRITE:
      return `writes ${hex(value)} to ${registerName(address)}`;
    case ring.SET_LINE:
      return `${value ? 'raises' : 'lowers'} GSI ${address} as an external driver`;
    case ring.END_OF_INTERRUPT:
      return `sends the EOI of vector ${hex(value)}`;
    case ring.SET_LOGICAL_ADDRESS:
      return `sets the logical APIC id of vCPU ${address} to ${hex(value)}`;
    case ring.PORT_WRITE:
      return `writes ${hex(value)} to port ${hex(address)}`;
    case ring.PORT_READ:
      return `reads port ${hex(address)}`;
    case ring.XEN_CALLBACK:
      return `${value ? 'raises' : 'lowers'} the callback of the Xen event channel`;
    case ring.INTERRUPT_ACKNOWLEDGE:
      return 'acknowledges INTR';
    default:
      return 'makes a request';
  }
}

/** A request as the subject of a sentence: `the guest's write to HPET interrupt status`. */
export function requestAsNoun(request: GuestRequest): string {
  const words = requestInWords(request);
  const [, value, register] = /^writes (\S+) (to .*)$/.exec(words) ?? [];
  if (value) return `the guest's write of ${value} ${register}`;
  return `the guest's ${request.operation === ring.READ ? words.replace(/^reads/, 'read of') : 'request'}`;
}

/** What a guest sees of an event. */
export function eventInWords(event: InterruptEvent): string {
  switch (event.kind) {
    case 'line':
      return `GSI ${event.gsi} ${event.level ? 'rises' : 'falls'}`;
    case 'apic':
      return `IOAPIC pin ${event.pin} sends vector ${hex(event.vector)}`;
    case 'msi':
      return `timer ${event.timer} sends an MSI`;
    case 'intr':
      return `INTR of the 8259 pair ${event.level ? 'rises' : 'falls'}`;
    case 'address':
      return `vCPU ${event.vcpu} has another logical APIC id`;
  }
}
