import { ROUTER_AREA as AREA } from '../../memory/map.js';
import type { Memory } from '../../memory/memory.js';
import { QUIRKS } from '../quirks.js';
import { SOURCE_EXTERNAL } from './sources.js';

/** Global system interrupts 0–23 reach the IOAPIC, 0–15 the 8259 pair as well; lines 24–31 of the HPET go nowhere. */
export const LINES = 32;
export const GSI_COUNT = 24;

const QUIRK_BITS = AREA.word('quirks', 'constant');
/** One word per line: bit n is the level of source n, INPUT_LEVEL what the interrupt controllers were told last. */
const SOURCES = AREA.words('sources', LINES, 'router');

const EXTERNAL_BIT = 1 << SOURCE_EXTERNAL;
const HPET_BITS = EXTERNAL_BIT - 1;
const SOURCE_BITS = HPET_BITS | EXTERNAL_BIT;
const INPUT_LEVEL = 1 << 30;

export interface RouterPorts {
  /** A line of the HPET, or an external driver's level of a GSI, changed. */
  lineChanged(gsi: number, level: number, source: number): void;
  /** An interrupt controller's input is driven; `level` is the same as before where a source drove it again. */
  driveInput(gsi: number, level: number): void;
}

/**
 * The GSI router: one level per source of each line, and their wired OR. The HPET's timers form one driver with a line
 * of its own; what the OR is taken over and who may lower whom is subject to two quirks.
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
    const old = this.memory.get(SOURCES + line);
    const bit = 1 << source;
    const group = bit & HPET_BITS ? HPET_BITS : EXTERNAL_BIT;
    const quirks = this.memory.get(QUIRK_BITS);
    const lastWriterWins = (quirks & QUIRKS['last-writer-wins']) !== 0;
    let own = old & group;
    if (level) own |= bit;
    else if (quirks & QUIRKS['shared-line-drops']) own = 0;
    else own &= ~bit;
    const others = old & SOURCE_BITS & ~group;
    const inputLevel = own || (others && !lastWriterWins) ? 1 : 0;
    this.memory.set(SOURCES + line, own | others | (inputLevel ? INPUT_LEVEL : 0));

    const groupLevel = own ? 1 : 0;
    if (groupLevel !== (old & group ? 1 : 0)) this.ports.lineChanged(line, groupLevel, source);
    if (line >= GSI_COUNT) return;
    const changed = inputLevel !== (old & INPUT_LEVEL ? 1 : 0);
    if (changed || level || lastWriterWins) this.ports.driveInput(line, inputLevel);
  }

  /** The level of a line as the interrupt controllers see it. */
  level(line: number): number {
    return this.memory.get(SOURCES + line) & INPUT_LEVEL ? 1 : 0;
  }

  /** The levels of a line's sources, bit n for source n. */
  sources(line: number): number {
    return this.memory.get(SOURCES + line) & SOURCE_BITS;
  }
}
