import * as G from '../../../core/devices/guest-map.js';
import { PROFILES, quirkBits } from '../../../core/devices/quirks.js';
import type { MachineOptions } from '../../../core/machine/machine.js';
import { type GuestRequest, HPET, IOAPIC, line, portWrite, write } from '../requests.js';
import type { Preparation, Scenario } from '../scenario.js';
import { redirect } from '../scenarios/machines.js';
import { EDGE, LEVEL, LINE, MASKED } from './operations.js';

/** A machine in a state in which operations conflict. */
export interface Prepared {
  readonly description: string;
  readonly before: readonly Preparation[];
  /** Host times (ns): before the next callback is due, and when it is. */
  readonly idle: number;
  readonly due: number;
  readonly machine?: Partial<MachineOptions>;
  readonly events?: Scenario['events'];
  /** The gateway delivers events and replies while the threads run. */
  readonly hasGateway?: true;
}

const on = write(HPET.CONFIGURATION, HPET.ON);

function timer(index: number, bits: number, ...comparators: readonly number[]): GuestRequest[] {
  return [
    write(HPET.timer(index), bits | HPET.route(LINE)),
    ...comparators.map((value) => write(HPET.comparator(index), value)),
  ];
}

/** A match that never comes, even of a counter that starts near the end of 32 bits. */
const NEVER = 2 ** 40;

/** The matches of the other timers never come. Timer 1 is enabled. */
const lastTimer = timer(2, 0, NEVER);
const idleTimers = [...timer(1, HPET.ENABLE, NEVER), ...lastTimer];
const PERIODIC = HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET;
const pendingLevel = [...timer(0, PERIODIC | HPET.LEVEL, 1000), ...idleTimers];

/** ICW1 to ICW4 of both chips, and no masks. */
const initialisedPic: readonly GuestRequest[] = [
  [G.MASTER_COMMAND, 0x11],
  [G.MASTER_DATA, 0x20],
  [G.MASTER_DATA, 0x04],
  [G.MASTER_DATA, 0x01],
  [G.SLAVE_COMMAND, 0x11],
  [G.SLAVE_DATA, 0x28],
  [G.SLAVE_DATA, 0x02],
  [G.SLAVE_DATA, 0x01],
  [G.MASTER_DATA, 0],
  [G.SLAVE_DATA, 0],
].map(([port, value]) => portWrite(port, value));

const manual: Partial<MachineOptions> = { clock: 'manual' };

/** Every machine has the quirks of QEMU 11.1, which the reference has. */
export const QUIRKS = quirkBits(PROFILES['qemu-11.1']);

/** A tick is 10 ns. The entry of the line is selected at the end of each preparation. */
export const PREPARED: { readonly [name: string]: Prepared } = {
  'one-shot': {
    description: 'a one-shot edge timer, due at 10 µs',
    before: [...timer(0, HPET.ENABLE, 1000), ...idleTimers, ...redirect(LINE, EDGE), on],
    idle: 1000,
    due: 10_000,
  },
  periodic: {
    description: 'a periodic edge timer, due at 10 µs',
    before: [...timer(0, PERIODIC, 1000), ...idleTimers, ...redirect(LINE, EDGE), on],
    idle: 1000,
    due: 10_000,
  },
  level: {
    description: 'a level timer that fired, with remote IRR set; its next match is due at 20 µs',
    before: [...pendingLevel, ...redirect(LINE, LEVEL), on, { mainLoopAt: 10_000 }],
    idle: 15_000,
    due: 20_000,
  },
  wrap: {
    description: 'a 32-bit one-shot timer whose counter wraps at 2.56 µs, before its match',
    before: [
      write(HPET.COUNTER, 0xffff_ff00),
      ...timer(0, HPET.ENABLE | HPET.BITS_32, 0x80),
      ...idleTimers,
      ...redirect(LINE, EDGE),
      on,
    ],
    idle: 1000,
    due: 2600,
  },
  legacy: {
    description: 'legacy replacement; timer 0 is periodic, due at 10 µs',
    before: [
      ...timer(0, PERIODIC | HPET.LEVEL, 1000),
      ...idleTimers,
      ...redirect(2, LEVEL),
      write(HPET.CONFIGURATION, HPET.ON | HPET.LEGACY),
    ],
    idle: 1000,
    due: 10_000,
  },
  fsb: {
    description: 'a periodic timer with FSB delivery, due at 10 µs',
    before: [
      ...timer(0, PERIODIC | HPET.FSB, 1000),
      ...idleTimers,
      write(HPET.fsbRoute(0), 0x4041),
      ...redirect(LINE, EDGE),
      on,
    ],
    idle: 1000,
    due: 10_000,
  },
  'shared-line': {
    description: 'two level timers and an external driver on one line; one has fired, the other is due at 20 µs',
    before: [
      ...timer(0, PERIODIC | HPET.LEVEL, 1000, 100_000),
      ...timer(1, PERIODIC | HPET.LEVEL, 2000, 100_000),
      ...lastTimer,
      ...redirect(LINE, LEVEL),
      on,
      { mainLoopAt: 10_000 },
      line(LINE, 1),
    ],
    idle: 15_000,
    due: 20_000,
  },
  masked: {
    description: 'a level timer that fired on a masked pin; its next match is due at 20 µs',
    before: [...pendingLevel, ...redirect(LINE, LEVEL | MASKED), on, { mainLoopAt: 10_000 }],
    idle: 15_000,
    due: 20_000,
  },
  pic: {
    description: 'an initialised 8259 pair with a request; a periodic edge timer is due at 20 µs',
    before: [
      ...initialisedPic,
      ...timer(0, PERIODIC, 1000),
      ...idleTimers,
      ...redirect(LINE, MASKED | EDGE),
      on,
      { mainLoopAt: 10_000 },
    ],
    idle: 15_000,
    due: 20_000,
  },
  ring: {
    description: 'an event ring with room for one callback; two one-shot edge timers are due at 10 µs',
    before: [...timer(0, HPET.ENABLE, 1000), ...timer(1, HPET.ENABLE, 1000), ...lastTimer, on],
    idle: 1000,
    due: 10_000,
    events: { capacity: 8, burst: 2, slice: 2 },
    hasGateway: true,
  },
  manual: {
    description: 'a manual clock and a periodic edge timer, due at 10 µs',
    before: [...timer(0, PERIODIC, 1000), ...idleTimers, ...redirect(LINE, EDGE), on],
    idle: 0,
    due: 0,
    machine: manual,
    events: { capacity: 1024, burst: 32, slice: 64 },
  },
};

/** Selects the low half of the entry of the line. */
export const selectLine = write(IOAPIC.SELECT, IOAPIC.entry(LINE), 4);
