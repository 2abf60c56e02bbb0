import { availableParallelism, cpus } from 'node:os';
import type { Design } from '../../core/locking/axes.js';
import { describeDesign, designNamed } from '../../core/locking/presets.js';
import { type Cell, type Comparison, FIGURE_NAMES, HAZARDS, type Measurement } from './figures.js';
import { Fixture } from './fixture.js';
import { summary } from './summary.js';

export interface ComparisonOptions {
  /** By name: presets, and designs from modules that are loaded. */
  readonly designs: readonly string[];
  readonly loads: readonly number[];
  readonly rounds: number;
  readonly partMs: number;
  readonly vcpus: number;
  readonly seed: number;
}

/** Called before each measurement with its index and their number. */
export type OnProgress = (done: number, all: number, locking: string, load: number) => void;

/**
 * Measures every design under every load, round by round, so that other activity of the host affects all of them
 * equally. Each round begins with a different design.
 */
export async function compare(options: ComparisonOptions, onProgress: OnProgress = () => {}): Promise<Comparison> {
  const { designs, loads, rounds, partMs, vcpus, seed } = options;
  const cells = designs.flatMap((locking) => loads.map((load) => ({ locking, load, rounds: [] as Measurement[] })));
  const fixture = await Fixture.start(vcpus);
  try {
    // Warm up, so that compilation does not count against the first design.
    await fixture.measure({ design: designOf(designs[0]), load: 0, seed, partMs: Math.min(partMs, 200) });
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < cells.length; i++) {
        const cell = cells[(i + round * loads.length) % cells.length];
        onProgress(round * cells.length + i, rounds * cells.length, cell.locking, cell.load);
        const design = designOf(cell.locking);
        cell.rounds.push(await fixture.measure({ design, load: cell.load, seed: seed + round, partMs }));
      }
    }
  } finally {
    await fixture.close();
  }
  return {
    machine: {
      cpu: cpus()[0].model,
      cores: availableParallelism(),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    },
    date: new Date().toISOString(),
    seed,
    vcpus,
    rounds,
    partMs,
    loads,
    cells: cells.map(({ locking, load, rounds }) => cellOf(locking, load, rounds)),
  };
}

function designOf(locking: string): Design {
  const named = designNamed(locking);
  if (!named) throw new RangeError(`no such design: ${locking}`);
  return named.design;
}

export function cellOf(locking: string, load: number, rounds: readonly Measurement[]): Cell {
  const figures = FIGURE_NAMES.map((name) => [name, summary(rounds.map(({ figures }) => figures[name]))]);
  const hazards = HAZARDS.map((name) => [name, rounds.reduce((sum, { hazards }) => sum + hazards[name], 0)]);
  return {
    locking,
    class: describeDesign(designOf(locking)).class ?? 'unexplored',
    load,
    rounds: rounds.length,
    figures: Object.fromEntries(figures),
    hazards: Object.fromEntries(hazards),
  };
}
