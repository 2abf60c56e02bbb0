/** What a machine tells the world, in the order in which it happened. */
export const EVENT_LINE = 1;
export const EVENT_APIC = 2;
export const EVENT_MSI = 3;
export const EVENT_INTR = 4;

/** Causes beyond the sources of a line (0–27, `devices/gsi/sources.ts`). */
export const CAUSE_ENTRY_WRITE = 32;
export const CAUSE_EOI = 33;
export const CAUSE_DELAYED = 34;

export interface EventSink {
  /**
   * Puts one event into the order of all events; the caller holds what protects the state that it reports. Waits only
   * if the path emits more than the burst that `awaitRoom`, called before any lock was taken, found room for.
   *
   * - EVENT_LINE: `a` GSI, `b` level, `c` the newest decision of its source (`LineDecisions.newest`) where the design
   *   numbers decisions, else 0
   * - EVENT_APIC: `a` pin, `b` destination | destination mode << 8 | delivery mode << 9 | trigger << 12, `c` vector
   * - EVENT_MSI: `a` timer, `b` address, `c` data
   * - EVENT_INTR: `a` level of the 8259 pair's INT output
   *
   * `virtualTime` in ns; `deadline` in virtual ns of the timer that caused it, else −1. Returns the event's position
   * among all events, modulo 2^32.
   */
  emit(
    machine: number,
    kind: number,
    cause: number,
    a: number,
    b: number,
    c: number,
    virtualTime: number,
    deadline: number,
  ): number;

  /**
   * Waits until the ring has room for whatever one access, callback or control work can emit. At most the BQL is held:
   * the gateway, which makes room, waits for no lock.
   */
  awaitRoom(): void;
}
