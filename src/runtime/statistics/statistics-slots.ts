import type { Design } from '../../core/locking/axes.js';
import { describeDesign, PRESET_NAMES, presetOf } from '../../core/locking/presets.js';

/** What the figures of a slot are labelled with. */
export interface SlotLabels {
  readonly machine: string;
  readonly locking: string;
}

/** The label of all machines without a slot of their own. */
export const OTHER = '_other';
/** The label of all designs that are no preset, on such machines. */
const CUSTOM = 'custom';

/** Slots of machines without one of their own: one per preset, then one for all other designs. */
const SHARED_SLOTS = PRESET_NAMES.length + 1;

interface OwnSlot {
  readonly labels: SlotLabels;
  /** The shared slot that its counts move to when the machine is deleted. */
  readonly heir: number;
}

/**
 * Assigns each machine the slot that its threads count in. Up to `own` machines have a slot of their own for as long as
 * they exist; the others of a design share one.
 */
export class StatisticsSlots {
  readonly #own = new Map<number, OwnSlot>();
  readonly #free: number[];
  /** Shared slots in which any machine was ever counted. */
  readonly #shared = new Set<number>();

  constructor(
    /** The most machines that have a slot of their own at a time. */
    readonly own: number,
  ) {
    this.#free = Array.from({ length: own }, (_, index) => this.capacity - 1 - index);
  }

  /** The most slots that there can be. */
  get capacity(): number {
    return SHARED_SLOTS + this.own;
  }

  /** The slots that have figures, with their labels. */
  get used(): [number, SlotLabels][] {
    const shared = [...this.#shared].map((slot): [number, SlotLabels] => [slot, this.#labelsOf(slot)]);
    return [...shared, ...[...this.#own].map(([slot, { labels }]): [number, SlotLabels] => [slot, labels])];
  }

  #labelsOf(slot: number): SlotLabels {
    const own = this.#own.get(slot);
    return own ? own.labels : { machine: OTHER, locking: PRESET_NAMES[slot] ?? CUSTOM };
  }

  /** The slot of a new machine: its own if it `wantsOwn` and one is free. */
  take(machine: string, design: Design, wantsOwn = true): number {
    const heir = sharedSlot(design);
    const slot = wantsOwn ? this.#free.pop() : undefined;
    if (slot === undefined) {
      this.#shared.add(heir);
      return heir;
    }
    this.#own.set(slot, { labels: { machine, locking: describeDesign(design).name }, heir });
    return slot;
  }

  /** Frees the slot of a deleted machine. Returns the shared slot that its counts belong to now, if it had its own. */
  release(slot: number): number | undefined {
    const own = this.#own.get(slot);
    if (!own) return undefined;
    this.#own.delete(slot);
    this.#free.push(slot);
    this.#shared.add(own.heir);
    return own.heir;
  }
}

/** Whether a slot belongs to one machine. */
export function isOwnSlot(slot: number): boolean {
  return slot >= SHARED_SLOTS;
}

function sharedSlot(design: Design): number {
  const preset = presetOf(design);
  return preset === undefined ? SHARED_SLOTS - 1 : PRESET_NAMES.indexOf(preset);
}
