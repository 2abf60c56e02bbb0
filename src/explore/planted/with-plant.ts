import { designNamed, type NamedDesign } from '../designs.js';
import { allowedOutcomes } from '../explore.js';
import type { ExploreOptions } from '../explorer.js';
import type { Scenario } from '../scenario.js';
import type { Plant } from './plant.js';

/** Does something to a scenario while a mistake is planted; what the scenario may come to is known from before. */
export function withPlant<T>(
  plant: Plant,
  scenario: Scenario,
  work: (named: NamedDesign, options: ExploreOptions) => T,
): T {
  const named = designNamed(plant.design ?? plant.locking);
  if (!named) throw new Error(`${plant.name}: there is no design ${plant.design}`);
  allowedOutcomes(scenario);
  const takeOut = plant.plant?.();
  try {
    return work(named, plant.options ?? {});
  } finally {
    takeOut?.();
  }
}
