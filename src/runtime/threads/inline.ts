import * as guest from '../../core/devices/guest-map.js';
import { Hpet } from '../../core/devices/hpet/hpet.js';
import type { Machine } from '../../core/machine/machine.js';
import { U64 } from '../../core/memory/u64.js';
import { IRQ_UPDATE, MMIO_READ, MMIO_WRITE } from '../../core/sync/call-sites.js';
import { BQL, DEVICE, IOAPIC, PIC, ROUTER, TIMERS } from '../../core/sync/lock-names.js';
import type { EventRing } from '../events/event-ring.js';
import { END_OF_INTERRUPT, OK, type Operation, READ, SET_LINE, UNASSIGNED, WRITE } from '../rings/submission-ring.js';

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

/** What an operation works on: a request, or one access of a batch. */
export type Operands = Omit<Operation, 'operation'>;

/** An access that must not run inline. */
const NOT_INLINE = -1;

/**
 * Accesses on the gateway itself, which may never wait: an access runs only if the gateway acquires at once, in advance,
 * every lock that its path may need, and the events that it may cause find room. Otherwise nothing has changed, and a
 * vCPU thread has to execute the access.
 */
export class InlineExecution {
  readonly #value = new U64();

  constructor(
    readonly machine: Machine,
    readonly events: EventRing,
  ) {}

  /** Selects the machine at `base`, for `run`. */
  select(base: number): this {
    this.machine.select(base);
    return this;
  }

  /** Executes an operation on the selected machine: its status (the value is the machine's), or undefined. */
  run(operation: number, operands: Operands): number | undefined {
    const { machine } = this;
    const { size, address } = operands;
    const locks = this.#locksFor(operation, size, address);
    if (locks === NOT_INLINE || (operation !== READ && !this.events.hasRoom(machine.chipset.slot))) return undefined;
    machine.locks.site = SITES[operation];
    if (!machine.locks.tryAcquireAll(locks)) return undefined;
    const status = this.#mayRead(operation, size, address) ? this.#perform(operation, operands) : undefined;
    machine.chipset.hpet.counter.dropSample();
    machine.locks.releaseAll(locks);
    return status;
  }

  /**
   * False if the access reads the main counter while a writer holds up its readers. The writer may die at any moment, so
   * everything that the access will read is sampled here.
   */
  #mayRead(operation: number, size: number, address: number): boolean {
    const { hpet, clock } = this.machine.chipset;
    return (
      operation !== READ || !Hpet.touchesMainCounter(address - guest.HPET_BASE, size) || hpet.counter.sample(clock)
    );
  }

  #perform(operation: number, { size, address, low, high }: Operands): number {
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

  /** A bit per lock that the path of the access may take, or NOT_INLINE. */
  #locksFor(operation: number, size: number, address: number): number {
    const { mmio, irq } = this.machine.chipset.design;
    // With a manual clock the answer to all but a read waits for the main loop.
    if (operation !== READ && this.machine.hasManualClock) return NOT_INLINE;
    // An access that may be aborted runs where no lock was taken in advance.
    if (operation !== READ && this.machine.chipset.xen.asserts) return NOT_INLINE;
    // Other designs act after the access: on a list, or on a queue that is rechecked after an unlock.
    const isPlain = irq.appliesInPlace;
    const controllers = irq.lockless ? LEAVES : BIG;
    if (operation === SET_LINE || operation === END_OF_INTERRUPT) return isPlain ? controllers : NOT_INLINE;
    if (operation !== READ && operation !== WRITE) return NOT_INLINE;
    // Room was found for the events of one piece.
    if (operation === WRITE && !isOnePiece(size, address)) return NOT_INLINE;
    const device = guest.deviceAt(address, size);
    if (device === guest.NO_DEVICE) return 0;
    if (device === guest.IOAPIC) return isPlain ? controllers : NOT_INLINE;
    const offset = address - guest.HPET_BASE;
    const entry = mmio.underBql ? bit(BQL) : bit(DEVICE);
    if (operation === WRITE) return isPlain ? entry | controllers : NOT_INLINE;
    return !mmio.underBql && offset % size === 0 && Hpet.isMainCounter(offset, size) ? 0 : entry;
  }
}

/** Whether a device sees one access (`machine/bus.ts`). */
function isOnePiece(size: number, address: number): boolean {
  const isIoapic = guest.deviceAt(address, size) === guest.IOAPIC;
  return address % size === 0 && size <= (isIoapic ? guest.IOAPIC_WIDTH : guest.HPET_WIDTH);
}
