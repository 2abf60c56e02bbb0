import { SOURCE_PIT, SOURCE_RTC } from '../../../core/devices/gsi/sources.js';
import * as G from '../../../core/devices/guest-map.js';
import {
  CONTROL_LEGACY_INPUT,
  CONTROL_PAUSE,
  CONTROL_REMOVE,
  CONTROL_RESET,
  CONTROL_RESTORE,
  CONTROL_RESUME,
  CONTROL_SAVE,
} from '../../../core/machine/control-path.js';
import * as ring from '../../../runtime/rings/submission-ring.js';
import {
  acknowledge,
  endOfInterrupt,
  type GuestRequest,
  HPET,
  IOAPIC,
  line,
  portWrite,
  read,
  write,
} from '../requests.js';
import type { ControlRequest } from '../scenario.js';

/** The line and vector that every prepared machine uses, and another line. */
export const LINE = 4;
export const OTHER_LINE = 5;
export const VECTOR = 0x34;

/** Redirection entries of that vector: edge or level, masked or not. */
export const EDGE = VECTOR;
export const LEVEL = 0x8000 | VECTOR;
export const MASKED = 0x1_0000;

/** Virtual ns of a step: until the first match of a prepared timer, and some more. */
const STEP_NS = 12_000;

const timer = (bits: number) => write(HPET.timer(0), bits | HPET.route(LINE));

/** What a vCPU asks for, by name. Timer 0 is the timer that the machine was prepared with. */
export const REQUESTS: { readonly [name: string]: GuestRequest } = {
  'write-comparator': write(HPET.comparator(0), 1500),
  /** A match that has come, or is about to. */
  'write-due': write(HPET.comparator(0), 1000),
  /** Another timer, with a match that has come: it comes before those that are armed. */
  'write-other': write(HPET.comparator(1), 50),
  'disable-timer': timer(HPET.PERIODIC),
  'edge-timer': timer(HPET.ENABLE | HPET.PERIODIC),
  'level-timer': timer(HPET.ENABLE | HPET.PERIODIC | HPET.LEVEL),
  'move-timer': write(HPET.timer(0), HPET.ENABLE | HPET.LEVEL | HPET.route(OTHER_LINE)),
  'fsb-timer': timer(HPET.ENABLE | HPET.PERIODIC | HPET.FSB),
  'write-fsb': write(HPET.fsbRoute(0), 0x4042),
  'write-status': write(HPET.STATUS, 1),
  'write-statuses': write(HPET.STATUS, 3),
  'turn-off': write(HPET.CONFIGURATION, 0),
  'turn-on': write(HPET.CONFIGURATION, HPET.ON),
  'legacy-on': write(HPET.CONFIGURATION, HPET.ON | HPET.LEGACY),
  'write-counter': write(HPET.COUNTER, 0xffff_ff00),
  'read-status': read(HPET.STATUS),
  'read-comparator': read(HPET.comparator(0)),
  'read-counter': read(HPET.COUNTER),
  'read-timer': read(HPET.timer(0)),
  'line-up': line(LINE, 1),
  'line-down': line(LINE, 0),
  eoi: endOfInterrupt(VECTOR),
  'eoi-register': write(G.IOAPIC_EOI, VECTOR, 4),
  /** Of the entry of the line, which the preparation has selected. */
  mask: write(IOAPIC.WINDOW, LEVEL | MASKED, 4),
  'unmask-level': write(IOAPIC.WINDOW, LEVEL, 4),
  'unmask-edge': write(IOAPIC.WINDOW, EDGE, 4),
  select: write(IOAPIC.SELECT, IOAPIC.entry(OTHER_LINE), 4),
  'read-entry': read(IOAPIC.WINDOW, 4),
  'mask-pic': portWrite(G.MASTER_DATA, 0xff),
  'eoi-pic': portWrite(G.MASTER_COMMAND, 0x20),
  'elcr-pic': portWrite(G.ELCR_MASTER, 1 << LINE),
  'read-pic': { operation: ring.PORT_READ, size: 1, address: G.MASTER_COMMAND, value: 0 },
  inta: acknowledge,
  /** With a manual clock only. */
  step: { operation: ring.STEP, size: 0, address: STEP_NS, value: 0 },
};

/** Control work, which the gateway submits to the main loop. `restore` goes back to the end of the preparation. */
export const CONTROL_WORK: { readonly [name: string]: ControlRequest } = {
  reset: { work: CONTROL_RESET, argument: 0 },
  pause: { work: CONTROL_PAUSE, argument: 0 },
  resume: { work: CONTROL_RESUME, argument: 0 },
  'pit-up': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 + 1 },
  'pit-down': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_PIT * 2 },
  'rtc-up': { work: CONTROL_LEGACY_INPUT, argument: SOURCE_RTC * 2 + 1 },
  save: { work: CONTROL_SAVE, argument: 0 },
  restore: { work: CONTROL_RESTORE, argument: 0 },
  remove: { work: CONTROL_REMOVE, argument: 0 },
};

/** The main loop's own operation: the callbacks that are due. */
export const CALLBACK = 'callback';

/** Whether the gateway may execute a request itself. */
export function mayRunInline({ operation }: GuestRequest): boolean {
  return [ring.READ, ring.WRITE, ring.SET_LINE, ring.END_OF_INTERRUPT].includes(operation);
}
