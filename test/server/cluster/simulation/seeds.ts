import type { NodeClass } from './cluster.js';
import { type RunOptions, simulate } from './run.js';

/** So many runs, of the seeds from `first` on, which is 1 if not given; with `until`, up to the first violation that matches it. */
export interface SeedsOptions extends Omit<RunOptions, 'seed' | 'Node'> {
  readonly runs: number;
  readonly first?: number;
  readonly until?: string;
  /** URL of the module of the node; of the production code if not given. */
  readonly node?: string;
}

export interface SeedsResult {
  readonly violations: readonly string[];
  readonly claims: number;
  readonly frames: number;
}

/** This module is also a program, which runs without the hooks of the test runner: they would take most of its time. */
const [, , argument] = process.argv;
if (argument !== undefined) process.stdout.write(JSON.stringify(await simulateSeeds(JSON.parse(argument))));

async function simulateSeeds({ runs, first = 1, until, node, ...options }: SeedsOptions): Promise<SeedsResult> {
  const Node: NodeClass | undefined = node ? (await import(node)).ClusterNode : undefined;
  const violations: string[] = [];
  let [claims, frames] = [0, 0];
  for (let seed = first; seed < first + runs; seed++) {
    const result = await simulate({ ...options, seed, ...(Node && { Node }) });
    violations.push(...result.violations.map((text) => `seed ${seed}: ${text}`));
    claims += result.claims;
    frames += result.frames;
    if (until !== undefined && violations.some((text) => new RegExp(until).test(text))) break;
  }
  return { violations, claims, frames };
}
