import { CONFIG_AREA, LIFE_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

/** The constants of a machine, written before other threads can see it. */
export const SLOT = CONFIG_AREA.word('slot', 'constant');
/** Four indices (`locking/presets.ts`). */
export const DESIGN = CONFIG_AREA.word('design', 'constant');
export const QUIRK_BITS = CONFIG_AREA.word('quirks', 'constant');
export const MANUAL_CLOCK = CONFIG_AREA.word('manualClock', 'constant');
export const SKIP_GENERATION_CHECK = CONFIG_AREA.word('skipGenerationCheck', 'constant');
export const COUNT_OVERLAP = CONFIG_AREA.word('countOverlap', 'constant');

/** Threads that are inside a device now; counted only if COUNT_OVERLAP is set. */
export const INSIDE = LIFE_AREA.word('inside', 'sync');
/** Set last when a machine is created, cleared before its memory is used again: the main loop visits no other. */
export const ALIVE = LIFE_AREA.word('alive', 'sync');

/** Whether threads may enter the machine that `memory` has selected. */
export function isAlive(memory: Memory): boolean {
  return memory.load(ALIVE) !== 0;
}

export function hasManualClock(memory: Memory): boolean {
  return memory.get(MANUAL_CLOCK) !== 0;
}
