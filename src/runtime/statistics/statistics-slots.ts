import type { Design } from '../../core/locking/axes.js';
import { PRESET_NAMES, PRESETS } from '../../core/locking/presets.js';

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

/**
 * Which machine is counted where. A slot of its own goes to each of the first machines, and stays theirs when they are
 * deleted: whoever is made again under that name and design counts on. So no count ever falls, and there is a bound.
 */
export class StatisticsSlots {
  readonly #own = new Map<string, number>();
  readonly #labels: SlotLabels[];
  readonly #used = new Set<number>();

  constructor(
    /** How many machines, told apart by name and design, get a slot of their own. */
    readonly named: number,
  ) {
    this.#labels = [...PRESET_NAMES, CUSTOM].map((locking) => ({ machine: OTHER, locking }));
  }

  /** The most slots that there can be. */
  get capacity(): number {
    return SHARED_SLOTS + this.named;
  }

  /** The slots in which any machine was ever counted, with their labels. */
  get used(): [number, SlotLabels][] {
    return [...this.#used].map((slot) => [slot, this.#labels[slot]]);
  }

  slotFor(machine: string, design: Design): number {
    const slot = this.#slotFor(machine, design);
    this.#used.add(slot);
    return slot;
  }

  #slotFor(machine: string, design: Design): number {
    const locking = designLabel(design);
    const key = `${machine} ${locking}`;
    const own = this.#own.get(key);
    if (own !== undefined) return own;
    if (this.#own.size >= this.named) return sharedSlot(design);
    const slot = this.#labels.push({ machine, locking }) - 1;
    this.#own.set(key, slot);
    return slot;
  }
}

function sharedSlot(design: Design): number {
  const preset = presetOf(design);
  return preset < 0 ? SHARED_SLOTS - 1 : preset;
}

function designLabel(design: Design): string {
  const { mmio, timer, irq, control } = design;
  return PRESET_NAMES[presetOf(design)] ?? [mmio, timer, irq, control].map(({ name }) => name).join('/');
}

function presetOf(design: Design): number {
  return PRESET_NAMES.findIndex((name) => {
    const { mmio, timer, irq, control } = PRESETS[name];
    return mmio === design.mmio && timer === design.timer && irq === design.irq && control === design.control;
  });
}
