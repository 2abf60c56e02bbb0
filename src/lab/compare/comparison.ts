import { availableParallelism, cpus } from 'node:os';
import type { Design } from '../../core/locking/axes.js';
import { describeDesign, designNamed } from '../../core/locking/presets.js';
import { burns, type Condition } from './condition.js';
import { type Cell, type Comparison, FIGURE_NAMES, HAZARDS, type Measurement } from './figures.js';
import { Fixture } from './fixture.js';
import { summary } from './summary.js';

export interface ComparisonOptions {
  /** By name: presets, and designs from modules that are loaded. */
  readonly designs: readonly string[];
  /** `conditionsOf`: the base point first. */
  readonly conditions: readonly Condition[];
  readonly rounds: number;
  readonly partMs: number;
  readonly seed: number;
}

/** Called before each measurement with its index and their number. */
export type OnProgress = (done: number, all: number, locking: string, condition: Condition) => void;

/**
 * Measures every design under every condition, round by round, so that other activity of the host affects all of them
 * equally. Each round begins with a different design.
 */
export async function compare(options: ComparisonOptions, onProgress: OnProgress = () => {}): Promise<Comparison> {
  const { designs, conditions, rounds, partMs, seed } = options;
  const cells = designs.flatMap((locking) =>
    conditions.map((condition) => ({ locking, condition, rounds: [] as Measurement[] })),
  );
  const fixture = await Fixture.start(Math.max(...conditions.map(({ vcpus }) => vcpus)), conditions.some(burns));
  try {
    // Warm up, so that compilation does not count against the first design.
    await fixture.measure({ design: designOf(designs[0]), ...conditions[0], seed, partMs: Math.min(partMs, 200) });
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < cells.length; i++) {
        const cell = cells[(i + round * conditions.length) % cells.length];
        const { locking, condition } = cell;
        onProgress(round * cells.length + i, rounds * cells.length, locking, condition);
        const request = { ...condition, design: designOf(locking), seed: seed + round, partMs };
        cell.rounds.push(await fixture.measure(request));
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
    rounds,
    partMs,
    conditions,
    cells: cells.map(({ locking, condition, rounds }) => cellOf(locking, condition.name, rounds)),
  };
}

function designOf(locking: string): Design {
  const named = designNamed(locking);
  if (!named) throw new RangeError(`no such design: ${locking}`);
  return named.design;
}

export function cellOf(locking: string, condition: string, rounds: readonly Measurement[]): Cell {
  const figures = FIGURE_NAMES.map((name) => [name, summary(rounds.map(({ figures }) => figures[name]))]);
  const hazards = HAZARDS.map((name) => [name, rounds.reduce((sum, { hazards }) => sum + hazards[name], 0)]);
  return {
    locking,
    class: describeDesign(designOf(locking)).class ?? 'unexplored',
    condition,
    rounds: rounds.length,
    figures: Object.fromEntries(figures),
    hazards: Object.fromEntries(hazards),
  };
}
