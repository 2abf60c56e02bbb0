/** What the HPET needs from the machine around it. It knows lines and deadlines, never a thread or a lock. */
export interface HpetPorts {
  /** The machine's virtual time in nanoseconds. */
  now(): number;

  /**
   * Arms timer `timer` for a deadline in virtual nanoseconds, in place of an earlier one. A deadline that is past fires
   * as soon as the access that armed it is complete; a negative one before all others. Infinity never fires.
   */
  arm(timer: number, deadline: number): void;
  cancel(timer: number): void;

  /** Drives line `line` (0–31) of the HPET to 0 or 1, as source `source`: a timer number, or SOURCE_PIT or SOURCE_RTC. */
  setLine(line: number, source: number, level: number): void;
  /** Drives the line to 1 and back to 0: an edge, unless something holds the line high. */
  pulseLine(line: number, source: number): void;
  /** FSB delivery: a 32-bit write of `data` to `address` by timer `timer`. */
  sendMsi(timer: number, address: number, data: number): void;
  /** The PIT is cut off from its line while the HPET replaces it (1: connected). */
  setPitGate(level: number): void;
}
