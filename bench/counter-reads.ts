import { Laboratory } from '../src/compare/laboratory.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../src/locking/presets.js';
import { median } from './measure.js';
import { type Row, row } from './rows.js';

/**
 * Main counter reads of one vCPU thread, paced, while the main loop holds the BQL half of the time in pieces of 500 µs:
 * their p99, against the same design's without that load, in the same run.
 */
const ROUNDS = 9;
const PART_MS = 300;
const LOAD = 0.5;
const LARGEST_LOCKLESS = 3;
const LEAST_BQL = 100;

export async function rows(): Promise<Row[]> {
  const laboratory = await Laboratory.start(1);
  const designs = PRESET_NAMES.filter((name) => PRESETS[name].mmio.name === 'device' || name === 'bql');
  const unloaded = new Map<PresetName, number[]>(designs.map((name) => [name, []]));
  const loaded = new Map<PresetName, number[]>(designs.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of designs) {
      for (const [load, p99] of [
        [0, unloaded],
        [LOAD, loaded],
      ] as const) {
        const request = { design: PRESETS[name], load, seed: 1 + round, partMs: PART_MS, readsOnly: true };
        const { figures } = await laboratory.measure(request);
        p99.get(name)?.push(figures.readP99);
      }
    }
  }
  await laboratory.close();
  return designs.map((name) => {
    const baseline = median(unloaded.get(name) ?? []);
    const claim =
      name === 'bql'
        ? { better: 'higher' as const, target: LEAST_BQL }
        : { better: 'lower' as const, target: LARGEST_LOCKLESS };
    const text = `counter read p99 under BQL load, ${name}: loaded to unloaded`;
    return row(text, median(loaded.get(name) ?? []), 'ns', { ...claim, baseline });
  });
}
