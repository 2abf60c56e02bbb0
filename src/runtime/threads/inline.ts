import * as guest from '../../core/devices/guest-map.js';
import { Hpet } from '../../core/devices/hpet/hpet.js';
import type { Machine } from '../../core/machine/machine.js';
import { U64 } from '../../core/memory/u64.js';
import { IRQ_UPDATE, MMIO_READ, MMIO_WRITE } from '../../core/sync/call-sites.js';
import { BQL, DEVICE, IOAPIC, PIC, ROUTER, TIMERS } from '../../core/sync/lock-names.js';
import type { EventRing } from '../events/event-ring.js';
import { END_OF_INTERRUPT, OK, READ, SET_LINE, UNASSIGNED, WRITE } from '../rings/submission-ring.js';

const bit = (lock: number) => 1 << lock;

/** Call sites of the operations that may run inline. */
const SITES: { readonly [operation: number]: number } = {
  [READ]: MMIO_READ,
  [WRITE]: MMIO_WRITE,
  [SET_LINE]: IRQ_UPDATE,
  [END_OF_INTERRUPT]: IRQ_UPDATE,
};

/** Locks that line changes may need on the way to the controllers, by whether these have leaf locks. */
const LEAVES = bit(ROUTER) | bit(IOAPIC) | bit(PIC) | bit(TIMERS);
const BIG = bit(BQL) | bit(TIMERS);

/** An access that must not run inline. */
const HAND_OVER = -1;

/**
 * Accesses on the gateway itself, which may never wait: an access runs only if every lock that its path may need
 * could be had at once, beforehand, and the events that it may cause find room. Else nothing was touched, and a vCPU
 * thread has to do it.
 */
export class InlineExecution {
  readonly #value = new U64();

  constructor(
    readonly machine: Machine,
    readonly events: EventRing,
  ) {}

  /** Turns to the machine at `base`, for `run`. */
  select(base: number): this {
    this.machine.select(base);
    return this;
  }

  /** Carries out an access to the selected machine: its status (the value is the machine's), or undefined. */
  run(operation: number, size: number, address: number, low: number, high: number): number | undefined {
    const { machine } = this;
    const locks = this.#locksFor(operation, size, address);
    if (locks === HAND_OVER || (operation !== READ && !this.events.hasRoom())) return undefined;
    machine.locks.site = SITES[operation];
    if (!machine.locks.tryAcquireAll(locks)) return undefined;
    const status = this.#mayRead(operation, size, address)
      ? this.#perform(operation, size, address, low, high)
      : undefined;
    machine.chipset.hpet.counter.dropSample();
    machine.locks.releaseAll(locks);
    return status;
  }

  /**
   * False if the access reads the main counter and a writer holds its readers up. The writer may have died over it, at any
   * moment since whatever was looked at before; so all that the access will read is read here.
   */
  #mayRead(operation: number, size: number, address: number): boolean {
    const { hpet, clock } = this.machine.chipset;
    return (
      operation !== READ || !Hpet.touchesMainCounter(address - guest.HPET_BASE, size) || hpet.counter.sample(clock)
    );
  }

  #perform(operation: number, size: number, address: number, low: number, high: number): number {
    const { machine } = this;
    switch (operation) {
      case READ:
        return machine.read(address, size) ? OK : UNASSIGNED;
      case WRITE:
        return machine.write(address, size, this.#value.set(low, high)) ? OK : UNASSIGNED;
      case SET_LINE:
        machine.setLine(address, low);
        return OK;
      default:
        machine.endOfInterrupt(low);
        return OK;
    }
  }

  /** A bit per lock that the path of the access may take, or HAND_OVER. */
  #locksFor(operation: number, size: number, address: number): number {
    const { mmio, irq } = this.machine.chipset.design;
    // With a manual clock the answer to all but a read waits for the main loop.
    if (operation !== READ && this.machine.hasManualClock) return HAND_OVER;
    // What may be broken off is best done where nothing was taken beforehand.
    if (operation !== READ && this.machine.chipset.xen.asserts) return HAND_OVER;
    // These designs act after the access: on a list, or on a queue that is looked at again after an unlock.
    const isPlain = irq.name === 'inline' || irq.name === 'lockless';
    const controllers = irq.lockless ? LEAVES : BIG;
    if (operation === SET_LINE || operation === END_OF_INTERRUPT) return isPlain ? controllers : HAND_OVER;
    if (operation !== READ && operation !== WRITE) return HAND_OVER;
    // Room was found for the events of one piece.
    if (operation === WRITE && !isOnePiece(size, address)) return HAND_OVER;
    const device = guest.deviceAt(address, size);
    if (device === guest.NO_DEVICE) return 0;
    if (device === guest.IOAPIC) return isPlain ? controllers : HAND_OVER;
    const offset = address - guest.HPET_BASE;
    const entry = mmio.underBql ? bit(BQL) : bit(DEVICE);
    if (operation === WRITE) return isPlain ? entry | controllers : HAND_OVER;
    return !mmio.underBql && offset % size === 0 && Hpet.isMainCounter(offset, size) ? 0 : entry;
  }
}

/** Whether a device sees one access (`machine/bus.ts`). */
function isOnePiece(size: number, address: number): boolean {
  const isIoapic = guest.deviceAt(address, size) === guest.IOAPIC;
  return address % size === 0 && size <= (isIoapic ? guest.IOAPIC_WIDTH : guest.HPET_WIDTH);
}
