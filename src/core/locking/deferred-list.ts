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
 * The deferred calls of one thread: recorded while the thread is inside the HPET, applied in order at the outermost `end`.
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
          lines.level(target, a, b, c, change, this.#hasLater(i, a), this.#earlierSources(i, a));
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

  /** Whether a level of the same line was recorded after entry `i`. */
  #hasLater(i: number, line: number): boolean {
    for (let later = i + 1; later < this.#length; later++) {
      if (this.#entries[later].kind === LEVEL && this.#entries[later].a === line) return true;
    }
    return false;
  }

  /** The sources of levels of the same line that were recorded before entry `i`, bit n for source n. */
  #earlierSources(i: number, line: number): number {
    let sources = 0;
    for (let earlier = 0; earlier < i; earlier++) {
      const { kind, a, b } = this.#entries[earlier];
      if (kind === LEVEL && a === line) sources |= 1 << b;
    }
    return sources;
  }
}

/** Where deferred calls go that are no line changes. */
export interface MessageTarget {
  sendMsi(timer: number, address: number, data: number): void;
  setPitGate(level: number): void;
}

/** How deferred line changes are applied. */
export interface DeferredLines<Target> {
  /** `hasLater`, `earlier`: whether the list has a later level of the line, and the sources of its earlier ones. */
  level(
    target: Target,
    line: number,
    source: number,
    level: number,
    change: number,
    hasLater: boolean,
    earlier: number,
  ): void;
  pulse(target: Target, line: number, source: number): void;
}
