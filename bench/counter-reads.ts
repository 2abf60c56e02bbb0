import { PRESET_NAMES, PRESETS } from '../src/core/locking/presets.js';
import { conditionsOf } from '../src/lab/compare/condition.js';
import { Fixture } from '../src/lab/compare/fixture.js';
import { ROUNDS } from './measure.js';
import { type Row, ratioRows } from './rows.js';

/**
 * Main counter reads of one vCPU thread, paced, while the main loop holds the BQL half of the time in pieces of 500 µs:
 * their p99, against the same design's without that load, which is measured before and after it in each round.
 */
const PART_MS = 300;
const LOAD = 0.5;
const LARGEST_LOCKLESS = 3;
const LEAST_BQL = 100;

export async function rows(): Promise<Row[]> {
  const fixture = await Fixture.start(1);
  const designs = PRESET_NAMES.filter((name) => PRESETS[name].mmio.name === 'device' || name === 'bql');
  const measured = new Map(
    designs.map((name) => [name, { first: [] as number[], own: [] as number[], second: [] as number[] }]),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, figures] of measured) {
      const p99 = async (load: number) => {
        const circumstances = { ...conditionsOf({ vcpus: [1], workload: ['counter-storm'] })[0], load };
        const request = { ...circumstances, design: PRESETS[name], seed: 1 + round, partMs: PART_MS };
        return (await fixture.measure(request)).figures.readP99;
      };
      figures.first.push(await p99(0));
      figures.own.push(await p99(LOAD));
      figures.second.push(await p99(0));
    }
  }
  await fixture.close();
  return [...measured].flatMap(([name, { own, ...base }]) => {
    const claim =
      name === 'bql'
        ? { better: 'higher' as const, target: LEAST_BQL }
        : { better: 'lower' as const, target: LARGEST_LOCKLESS };
    const text = `counter read p99 under BQL load, ${name}: loaded to unloaded`;
    return ratioRows(text, 'ns', claim, own, base);
  });
}
