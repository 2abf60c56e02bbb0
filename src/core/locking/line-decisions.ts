import { DEFERRED_AREA as AREA, LINE_CHANGES_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import type { Staleness } from '../sync/statistics.js';
import type { DeferredLevel } from './deferred-list.js';

/** Sources that the HPET decides on: 24 timers, the PIT and the RTC inputs. */
const SOURCES = 26;
const LINES = 32;

/** Per source: its number of decisions × 2 + the level of the last. */
const DECIDED = AREA.words('decided', SOURCES, 'sync');
/** Per source: the newest decision that was applied. */
const APPLIED = AREA.words('applied', SOURCES, 'router');
/** Per line: the levels of its sources as decided, for revalidation. */
const LEVELS = AREA.words('levels', LINES, 'hpet');
/** Per line: the sources whose level changed, there and back included, since the line was last applied. */
const CHANGED = LINE_CHANGES_AREA.words('changed', LINES, 'hpet');
/** Per line: pulses that were decided and not applied yet. */
const PULSES = AREA.words('pulses', LINES, 'sync');
const TOTAL = AREA.time('total', 'router');
const LATE = AREA.time('late', 'router');
const INVERTED = AREA.time('inverted', 'router');

const LOG_LENGTH = 8;
const LOG_WORDS = 6;
const LOG = AREA.words('log', LOG_LENGTH * LOG_WORDS, 'router');

/** Per source: a bit per line whose change was refused its lock and is not made up for yet, and the levels decided. */
const REFUSED = AREA.words('refused', SOURCES, 'sync');
const REFUSED_LEVELS = AREA.words('refusedLevels', SOURCES, 'sync');

/** One update that was stale when it was applied. */
export interface StaleUpdate {
  readonly reason: Staleness;
  readonly line: number;
  readonly source: number;
  /** What was decided, as which decision of its source, by a path that began at this call site. */
  readonly level: number;
  readonly change: number;
  readonly site: number;
  /** What was true when it was applied: the newest decision, or (inverted) the newest that was applied before. */
  readonly newest: number;
}

/** What was decided about the HPET's lines and what was applied, for designs in which the two are apart. */
export class LineDecisions {
  constructor(
    readonly memory: Memory,
    /** Called for each stale update as it is applied. */
    readonly onStale: (reason: Staleness) => void = () => {},
  ) {}

  /** Numbers a decision; the caller holds the HPET's guard. */
  decide(source: number, level: number): number {
    const change = ((this.memory.load(DECIDED + source) >> 1) + 1) & 0x3fff_ffff;
    this.memory.store(DECIDED + source, (change << 1) | level);
    return change;
  }

  /** The newest decision of a source: its number × 2 + the level. */
  newest(source: number): number {
    return this.memory.load(DECIDED + source);
  }

  /** Judges a decision that is being applied, and counts it; the caller protects the interrupt controllers. */
  apply(decision: DeferredLevel, site: number): void {
    const { memory } = this;
    const { source, change } = decision;
    this.count();
    const applied = memory.get(APPLIED + source);
    if (isNewer(applied, change)) {
      this.#stale('inverted', decision, site, applied);
      return;
    }
    memory.set(APPLIED + source, change);
    const decided = memory.load(DECIDED + source);
    if (decided >> 1 !== change && (decided & 1) !== decision.level) {
      this.#stale('late', decision, site, decided >> 1);
    }
  }

  /** Counts one deferred call. */
  count(): void {
    this.memory.setTime(TOTAL, this.memory.getTime(TOTAL) + 1);
  }

  #stale(reason: Staleness, decision: DeferredLevel, site: number, newest: number): void {
    const { memory } = this;
    const { line, source, level, change } = decision;
    this.onStale(reason);
    const counter = reason === 'late' ? LATE : INVERTED;
    const count = memory.getTime(LATE) + memory.getTime(INVERTED);
    memory.setTime(counter, memory.getTime(counter) + 1);
    const record = LOG + (count % LOG_LENGTH) * LOG_WORDS;
    memory.set(record, reason === 'late' ? 1 : 2);
    memory.set(record + 1, line | (source << 8) | (level << 16) | (site << 24));
    memory.set(record + 2, change);
    memory.set(record + 3, newest);
  }

  // Changes of the victims of deadlocks, to be made up for later

  /** Notes a change that was refused its lock; the caller holds the HPET's guard. */
  refuse(line: number, source: number, level: number): void {
    const levels = this.memory.load(REFUSED_LEVELS + source);
    this.memory.store(REFUSED_LEVELS + source, level ? levels | (1 << line) : levels & ~(1 << line));
    this.memory.or(REFUSED + source, 1 << line);
  }

  /** Whether a change of this source on this line is still to be made up for; forgets it. The controllers are protected. */
  takeRefused(line: number, source: number): boolean {
    const address = REFUSED + source;
    for (;;) {
      const lines = this.memory.load(address);
      if (!(lines & (1 << line))) return false;
      if (this.memory.compareExchange(address, lines, lines & ~(1 << line)) === lines) return true;
    }
  }

  /** The newest level that was refused; to be read after `takeRefused`. */
  refusedLevel(line: number, source: number): number {
    return (this.memory.load(REFUSED_LEVELS + source) >>> line) & 1;
  }

  // Revalidation

  /** The levels of a line's sources as decided; the caller holds the HPET's guard. */
  levels(line: number): number {
    return this.memory.get(LEVELS + line);
  }

  setLevels(line: number, levels: number): void {
    const { memory } = this;
    memory.set(CHANGED + line, memory.get(CHANGED + line) | (memory.get(LEVELS + line) ^ levels));
    memory.set(LEVELS + line, levels);
  }

  /** The same by a pulse, which makes the change itself when it is applied. */
  setLevelsByPulse(line: number, levels: number): void {
    this.memory.set(LEVELS + line, levels);
    this.addPulse(line);
  }

  /** The sources whose level changed since the last `takeChanged`. */
  changed(line: number): number {
    return this.memory.get(CHANGED + line);
  }

  /** The sources whose level changed since the last call; the caller holds the HPET's guard. */
  takeChanged(line: number): number {
    const changed = this.memory.get(CHANGED + line);
    this.memory.set(CHANGED + line, 0);
    return changed;
  }

  addPulse(line: number): void {
    this.memory.add(PULSES + line, 1);
  }

  takePulses(line: number): number {
    return this.memory.exchange(PULSES + line, 0);
  }

  // For reports

  counts(): { total: number; late: number; inverted: number } {
    const { memory } = this;
    return { total: memory.getTime(TOTAL), late: memory.getTime(LATE), inverted: memory.getTime(INVERTED) };
  }

  /** Line changes that were decided, applied or not, and edges that wait to be applied. */
  made(): { decided: number; pulses: number } {
    const { memory } = this;
    let decided = 0;
    for (let source = 0; source < SOURCES; source++) decided += memory.load(DECIDED + source) >>> 1;
    let pulses = 0;
    for (let line = 0; line < LINES; line++) pulses += memory.load(PULSES + line);
    return { decided, pulses };
  }

  /** The last stale updates, at most 8, in no order. */
  staleUpdates(): StaleUpdate[] {
    const updates: StaleUpdate[] = [];
    for (let record = LOG; record < LOG + LOG_LENGTH * LOG_WORDS; record += LOG_WORDS) {
      const reason = this.memory.get(record);
      if (!reason) continue;
      const what = this.memory.get(record + 1);
      updates.push({
        reason: reason === 1 ? 'late' : 'inverted',
        line: what & 0xff,
        source: (what >> 8) & 0xff,
        level: (what >> 16) & 1,
        site: what >>> 24,
        change: this.memory.get(record + 2),
        newest: this.memory.get(record + 3),
      });
    }
    return updates;
  }
}

/** Whether decision `a` of a source is newer than `b`, in 30-bit serial numbers. */
function isNewer(a: number, b: number): boolean {
  return ((a - b) << 2) >> 2 > 0;
}
