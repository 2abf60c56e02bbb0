import type { Statistics } from '../sync/statistics.js';

const LEVEL = 0;
const PULSE = 1;
const MSI = 2;
const PIT_GATE = 3;

/** One deferred call. Each kind uses some of the fields; all entries have one shape, and are used again. */
class Entry {
  kind = LEVEL;
  line = 0;
  source = 0;
  level = 0;
  /** Of a level: which decision of its source this is. */
  change = 0;
  timer = 0;
  address = 0;
  data = 0;
  /** When it was recorded, by the clock of the statistics. */
  since = 0;
}

/** A level that was decided, to be applied later. */
export type DeferredLevel = Readonly<Pick<Entry, 'line' | 'source' | 'level' | 'change'>>;

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

  /** Throws unless the list is empty and no frame is open. */
  assertIdle(): void {
    if (this.#length === 0 && this.#depth === 0) return;
    throw new Error(`${this.#length} deferred changes and ${this.#depth} open frames are left`);
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
    const entry = this.#add(LEVEL);
    entry.line = line;
    entry.source = source;
    entry.level = level;
    entry.change = change;
  }

  addPulse(line: number, source: number): void {
    const entry = this.#add(PULSE);
    entry.line = line;
    entry.source = source;
  }

  addMsi(timer: number, address: number, data: number): void {
    const entry = this.#add(MSI);
    entry.timer = timer;
    entry.address = address;
    entry.data = data;
  }

  addPitGate(level: number): void {
    this.#add(PIT_GATE).level = level;
  }

  #add(kind: number): Entry {
    if (this.#length === this.#entries.length) this.#entries.push(new Entry());
    const entry = this.#entries[this.#length++];
    entry.kind = kind;
    entry.since = this.statistics.now();
    return entry;
  }

  /** Executes and forgets everything; levels and pulses as `lines` says. The controllers are protected. */
  apply<Target extends MessageTarget>(target: Target, lines: DeferredLines<Target>): void {
    for (let i = 0; i < this.#length; i++) {
      const entry = this.#entries[i];
      const { line } = entry;
      this.statistics.deferred(entry.since);
      switch (entry.kind) {
        case LEVEL:
          lines.level(target, entry, this.#hasLater(i, line), this.#earlierSources(i, line));
          break;
        case PULSE:
          lines.pulse(target, line, entry.source);
          break;
        case MSI:
          target.sendMsi(entry.timer, entry.address, entry.data);
          break;
        case PIT_GATE:
          target.setPitGate(entry.level);
          break;
      }
    }
    this.#length = 0;
  }

  /** Whether a level of the same line was recorded after entry `i`. */
  #hasLater(i: number, line: number): boolean {
    for (let later = i + 1; later < this.#length; later++) {
      if (this.#entries[later].kind === LEVEL && this.#entries[later].line === line) return true;
    }
    return false;
  }

  /** The sources of levels of the same line that were recorded before entry `i`, bit n for source n. */
  #earlierSources(i: number, line: number): number {
    let sources = 0;
    for (let earlier = 0; earlier < i; earlier++) {
      const entry = this.#entries[earlier];
      if (entry.kind === LEVEL && entry.line === line) sources |= 1 << entry.source;
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
  level(target: Target, deferred: DeferredLevel, hasLater: boolean, earlier: number): void;
  pulse(target: Target, line: number, source: number): void;
}
