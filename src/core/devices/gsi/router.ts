import { ROUTER_AREA as AREA } from '../../memory/map.js';
import type { Memory } from '../../memory/memory.js';
import { QUIRKS } from '../quirks.js';
import { SOURCE_EXTERNAL } from './sources.js';

/** Global system interrupts 0–23 reach the IOAPIC, 0–15 the 8259 pair as well; lines 24–31 of the HPET go nowhere. */
export const LINES = 32;
export const GSI_COUNT = 24;

const QUIRK_BITS = AREA.word('quirks', 'constant');
/** One word per line: bit n is the level of source n, INPUT_LEVEL the level that the interrupt controllers saw last. */
const SOURCES = AREA.words('sources', LINES, 'router');
/** Whether interrupts of the PIT are let through: not with legacy replacement. */
export const PIT_GATE = AREA.word('pitGate', 'router');

/** In a line's word of sources. */
export const EXTERNAL_BIT = 1 << SOURCE_EXTERNAL;
export const HPET_BITS = EXTERNAL_BIT - 1;
const SOURCE_BITS = HPET_BITS | EXTERNAL_BIT;
export const INPUT_LEVEL = 1 << 30;

export interface RouterPorts {
  /** A line of the HPET, or an external driver's level of a GSI, changed. */
  lineChanged(gsi: number, level: number, source: number): void;
  /** `source` drives the interrupt controllers' inputs; `level` is the same as before where it drove them again. */
  driveInput(gsi: number, level: number, source: number): void;
}

/**
 * The GSI router: one level per source of each line, and their wired OR. The HPET's timers form one driver with a line
 * of its own. Two quirks change which sources the OR includes, and which source may lower another.
 */
export class GsiRouter {
  constructor(
    readonly memory: Memory,
    readonly ports: RouterPorts,
  ) {}

  create(quirks: number): void {
    this.memory.set(QUIRK_BITS, quirks);
  }

  /** `source` drives `line` (0–31) to `level` (0 or 1). */
  drive(line: number, source: number, level: number): void {
    const levels = this.memory.get(SOURCES + line) & groupOf(source);
    this.#assign(line, source, nextLevels(levels, source, level, this.memory.get(QUIRK_BITS)), level);
  }

  /** The source that raises a line when its levels become `levels`: `source`, which asked, or the first that is high. */
  raisedBy(line: number, source: number, levels: number): number {
    const rises = levels !== 0 && (this.memory.get(SOURCES + line) & HPET_BITS) === 0;
    return rises && !(levels & (1 << source)) ? 31 - Math.clz32(levels & -levels) : source;
  }

  /** Sets the levels of all HPET sources of a line (bit n for source n), for which `source` asked. */
  assign(line: number, source: number, levels: number): void {
    this.#assign(line, source, levels, (levels >> source) & 1);
  }

  #assign(line: number, source: number, own: number, driven: number): void {
    const old = this.memory.get(SOURCES + line);
    const group = groupOf(source);
    const others = old & SOURCE_BITS & ~group;
    const lastWriterWins = (this.memory.get(QUIRK_BITS) & QUIRKS['last-writer-wins']) !== 0;
    const inputLevel = own || (others && !lastWriterWins) ? 1 : 0;
    this.memory.set(SOURCES + line, own | others | (inputLevel ? INPUT_LEVEL : 0));

    const ownLevel = own ? 1 : 0;
    if (ownLevel !== (old & group ? 1 : 0)) this.ports.lineChanged(line, ownLevel, source);
    if (line >= GSI_COUNT) return;
    const changed = inputLevel !== (old & INPUT_LEVEL ? 1 : 0);
    if (changed || driven || lastWriterWins) this.ports.driveInput(line, inputLevel, source);
  }

  /** The level of a line as the interrupt controllers see it. */
  level(line: number): number {
    return this.memory.get(SOURCES + line) & INPUT_LEVEL ? 1 : 0;
  }

  /** The levels of the HPET's sources of a line, bit n for source n. */
  hpetSources(line: number): number {
    return this.memory.get(SOURCES + line) & HPET_BITS;
  }

  /** The levels of a line's sources, bit n for source n. */
  sources(line: number): number {
    return this.memory.get(SOURCES + line) & SOURCE_BITS;
  }
}

function groupOf(source: number): number {
  return source === SOURCE_EXTERNAL ? EXTERNAL_BIT : HPET_BITS;
}

/** The levels of a line's driver (bit n for source n) after one of its sources drives it. */
export function nextLevels(levels: number, source: number, level: number, quirks: number): number {
  if (level) return levels | (1 << source);
  return quirks & QUIRKS['shared-line-drops'] ? 0 : levels & ~(1 << source);
}
