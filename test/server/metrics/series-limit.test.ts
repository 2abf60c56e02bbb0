import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { statisticsWords } from '../../../src/runtime/statistics/statistics-layout.js';
import { EventLoopLag } from '../../../src/server/metrics/event-loop-lag.js';
import { Metrics } from '../../../src/server/metrics/registry.js';
import { Service } from '../../../src/server/service/service.js';
import { parseExposition, type ScrapedFamily, total } from '../../support/exposition.js';
import { configuration } from '../../support/server.js';

/** A scrape of a server, never started, on which every counter there is has counted, for each of these machines. */
async function everythingCounted(measuredMachines: number): Promise<Map<string, ScrapedFamily>> {
  const service = new Service(configuration({ limits: { machines: 1, measuredMachines }, vcpuThreads: 1 }), () => {});
  for (let machine = 0; machine < measuredMachines; machine++) {
    service.statisticsSlots.slotFor(`m${machine}`, PRESETS['lockless-irq']);
  }
  for (const design of Object.values(PRESETS)) service.statisticsSlots.slotFor('one more', design);
  const { shared, map } = service.engine;
  const words = statisticsWords(service.statisticsSlots.capacity);
  for (let word = 0; word < words; word += 2) shared.setTime(map.statistics + word, 1);

  const eventLoop = new EventLoopLag();
  const text = await new Metrics(service, eventLoop).scrape();
  eventLoop.close();
  return parseExposition(text);
}

function seriesOf(families: Map<string, ScrapedFamily>): number {
  return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
}

t.test('more than 20,000 series are not told, and how many are missing is', async (t) => {
  const families = await everythingCounted(64);
  t.ok(seriesOf(families) <= 20_000, `${seriesOf(families)} series`);
  t.ok(seriesOf(families) > 19_000, 'the room is used');
  t.ok(total(families, 'southbridge_series_omitted') > 0);
  const machines = families.get('southbridge_lock_acquisitions_total')?.samples.map(({ labels }) => labels.machine);
  t.equal(new Set(machines).size, 65, 'all machines have their counters: only distributions are missing');
});

t.test('with few machines nothing is missing', async (t) => {
  const families = await everythingCounted(2);
  t.equal(total(families, 'southbridge_series_omitted'), 0);
});
