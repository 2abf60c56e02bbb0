import type { WaitInProgress } from '../../runtime/statistics/lock-view.js';
import { type LockRow, SlotTotals } from '../../runtime/statistics/slot-totals.js';
import type { Service } from '../service/service.js';

export interface Labels {
  readonly [name: string]: string;
}

/** The grouping of histograms: one per locking design, or one per machine and design. */
export const HISTOGRAMS_BY = ['design', 'machine'] as const;
export type HistogramsBy = (typeof HISTOGRAMS_BY)[number];

/** Counts under the same labels. */
export interface Counted {
  readonly labels: Labels;
  readonly totals: SlotTotals;
  readonly locks: readonly LockRow[];
}

/** Counts of one statistics slot. */
export interface SlotFigures extends Counted {
  readonly slot: number;
  /** Waits for locks in progress. */
  readonly waits: readonly WaitInProgress[];
}

/** The counts of all threads, read once for one scrape. */
export interface Figures {
  /** Counts by machine and design. */
  readonly machines: readonly SlotFigures[];
  /** The source of the histograms. */
  readonly distributions: readonly Counted[];
}

export function figuresOf(service: Service, histograms: HistogramsBy): Figures {
  const { engine, statisticsSlots } = service;
  const waits = waitsBySlot(service);
  const machines = statisticsSlots.used.map(([slot, { machine, locking }]) => ({
    slot,
    ...counted({ machine, locking }, engine.statistics.totals(slot)),
    waits: waits.get(slot) ?? [],
  }));
  if (histograms === 'machine') return { machines, distributions: machines };
  const designs = new Map<string, SlotTotals>();
  for (const { labels, totals } of machines) {
    const design = designs.get(labels.locking) ?? new SlotTotals();
    designs.set(labels.locking, design);
    design.addTotals(totals);
  }
  return { machines, distributions: [...designs].map(([locking, totals]) => counted({ locking }, totals)) };
}

function counted(labels: Labels, totals: SlotTotals): Counted {
  return { labels, totals, locks: totals.locks() };
}

function waitsBySlot({ engine, machines }: Service): Map<number, WaitInProgress[]> {
  const statisticsSlot = new Map([...machines].map(({ options }) => [options.slot, options.statistics?.slot ?? 0]));
  const waits = new Map<number, WaitInProgress[]>();
  for (const wait of engine.lockView.waits()) {
    const slot = statisticsSlot.get(wait.slot);
    if (slot === undefined) continue;
    const known = waits.get(slot);
    if (known) known.push(wait);
    else waits.set(slot, [wait]);
  }
  return waits;
}
