import t from 'tap';
import type { Design } from '../../../src/core/locking/axes.js';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { statisticsWords } from '../../../src/runtime/memory/statistics-layout.js';
import { EventLoopLag } from '../../../src/server/metrics/event-loop-lag.js';
import type { HistogramsBy } from '../../../src/server/metrics/figures.js';
import { Metrics } from '../../../src/server/metrics/registry.js';
import { Service } from '../../../src/server/service/service.js';
import { parseExposition, type ScrapedFamily, total } from '../../support/exposition.js';
import { configuration } from '../../support/server.js';

/** A scrape of a server that was never started. Every counter of each of these machines has counted. */
async function everythingCounted(
  measuredMachines: number,
  histograms: HistogramsBy,
  designs: readonly Design[],
): Promise<Map<string, ScrapedFamily>> {
  const service = new Service(configuration({ limits: { machines: 1, measuredMachines }, vcpuThreads: 1 }), () => {});
  for (let machine = 0; machine < measuredMachines; machine++) {
    service.statisticsSlots.take(`m${machine}`, PRESETS['lockless-irq']);
  }
  for (const design of designs) service.statisticsSlots.take('one more', design);
  const { shared, map } = service.engine;
  const words = statisticsWords(service.statisticsSlots.capacity);
  for (let word = 0; word < words; word += 2) shared.setTime(map.statistics + word, 1);

  const eventLoop = new EventLoopLag();
  const text = await new Metrics(service, eventLoop).scrape('prometheus', histograms);
  eventLoop.close();
  return parseExposition(text);
}

function seriesOf(families: Map<string, ScrapedFamily>): number {
  return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
}

t.test('a scrape has at most 20,000 series and reports how many it left out', async (t) => {
  const families = await everythingCounted(64, 'machine', Object.values(PRESETS));
  t.ok(seriesOf(families) <= 20_000, `${seriesOf(families)} series`);
  t.ok(seriesOf(families) > 19_000, 'the room is used');
  t.ok(total(families, 'southbridge_series_omitted') > 0);
  const machines = families.get('southbridge_lock_acquisitions_total')?.samples.map(({ labels }) => labels.machine);
  t.equal(new Set(machines).size, 65, 'all machines have their counters: only distributions are missing');
});

t.test('with histograms per design nothing is missing from 64 machines', async (t) => {
  const families = await everythingCounted(64, 'design', [PRESETS['lockless-irq']]);
  t.equal(total(families, 'southbridge_series_omitted'), 0);
});
