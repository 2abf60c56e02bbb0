import type { Statistics } from '../sync/statistics.js';

const LEVEL = 0;
const PULSE = 1;
const MSI = 2;
const PIT_GATE = 3;

interface Entry {
  kind: number;
  /** Line, timer, or level of the gate. */
  a: number;
  /** Source, or MSI address. */
  b: number;
  /** Level, or MSI data. */
  c: number;
  /** Of a level: which decision of its source this is. */
  change: number;
  /** When it was recorded, by the clock of the statistics. */
  since: number;
}

/**
 * The deferred calls of one thread: recorded while the HPET is entered, carried out in order at the outermost `end`.
 * Repeated calls are kept.
 */
export class DeferredList {
  readonly #entries: Entry[] = [];
  #length = 0;
  #depth = 0;

  constructor(readonly statistics: Statistics) {}

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  begin(): void {
    this.#depth++;
  }

  /** Whether this ends the outermost frame, and there is something to carry out. */
  end(): boolean {
    this.#depth--;
    return this.#depth === 0 && this.#length > 0;
  }

  addLevel(line: number, source: number, level: number, change: number): void {
    this.#add(LEVEL, line, source, level, change);
  }

  addPulse(line: number, source: number): void {
    this.#add(PULSE, line, source, 0, 0);
  }

  addMsi(timer: number, address: number, data: number): void {
    this.#add(MSI, timer, address, data, 0);
  }

  addPitGate(level: number): void {
    this.#add(PIT_GATE, level, 0, 0, 0);
  }

  #add(kind: number, a: number, b: number, c: number, change: number): void {
    const entry = this.#entries[this.#length];
    const since = this.statistics.now();
    if (entry) Object.assign(entry, { kind, a, b, c, change, since });
    else this.#entries.push({ kind, a, b, c, change, since });
    this.#length++;
  }

  /** Carries out and forgets everything; levels and pulses as `lines` says. The controllers are protected. */
  apply<Target extends MessageTarget>(target: Target, lines: DeferredLines<Target>): void {
    for (let i = 0; i < this.#length; i++) {
      const { kind, a, b, c, change, since } = this.#entries[i];
      this.statistics.deferred(since);
      switch (kind) {
        case LEVEL:
          lines.level(target, a, b, c, change);
          break;
        case PULSE:
          lines.pulse(target, a, b);
          break;
        case MSI:
          target.sendMsi(a, b, c);
          break;
        case PIT_GATE:
          target.setPitGate(a);
          break;
      }
    }
    this.#length = 0;
  }
}

/** Where deferred calls go that are no line changes. */
export interface MessageTarget {
  sendMsi(timer: number, address: number, data: number): void;
  setPitGate(level: number): void;
}

/** How deferred line changes are applied. */
export interface DeferredLines<Target> {
  level(target: Target, line: number, source: number, level: number, change: number): void;
  pulse(target: Target, line: number, source: number): void;
}
