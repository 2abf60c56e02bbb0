import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { FAMILIES } from '../../../src/server/metrics/families.js';
import { baseName, parseExposition, type ScrapedFamily } from '../../support/exposition.js';
import { TestServer } from '../../support/server.js';

/** Names that dashboards and alerts of users may rely on. */
const NAMES = [
  'lock_acquisitions_total',
  'lock_contended_total',
  'lock_try_failures_total',
  'lock_wait_seconds',
  'lock_hold_sampled_seconds',
  'lock_order_inversions_total',
  'deadlocks_total',
  'deferred_irqs_total',
  'deferred_irqs_stale_total',
  'deferred_irq_delay_seconds',
  'bql_reacquire_seconds',
  'nested_wait_seconds',
  'mmio_accesses_total',
  'mmio_access_sampled_seconds',
  'timer_lateness_seconds',
  'irq_delivery_seconds',
  'irqs_total',
  'irqs_coalesced_total',
  'thread_busy_seconds_total',
  'missed_wakeups_total',
  'thread_deaths_total',
  'event_loop_lag_seconds',
  'scrape_duration_seconds',
  'locking_machines',
  'build_info',
  'machine_state',
];

/** Two scrapes of a server whose machines have accessed registers, fired a timer and sent interrupts. */
async function scrapes(): Promise<{ first: string; second: string }> {
  const server = await TestServer.start({
    machines: [
      { name: 'exact', statistics: 'exact' },
      { name: 'deferred', locking: 'deferred-irq' },
    ],
  });
  for (const name of ['exact', 'deferred']) {
    const vcpu = await server.connect(name, 0);
    await vcpu.write(0xfec00000, 4, 0x10 + 2 * 16);
    await vcpu.write(0xfec00010, 4, 0x33);
    await vcpu.write(0xfed00100, 8, (16 << 9) | (1 << 2));
    await vcpu.write(0xfed00108, 8, 1000);
    await vcpu.write(0xfed00010, 8, 1);
    await vcpu.interrupt(0x33);
    await vcpu.close();
  }
  await server.mainLoopIdle();
  const first: string = await server.get('/metrics');
  const second: string = await server.get('/metrics');
  await server.stop();
  return { first, second };
}

function histogramFaults(family: ScrapedFamily): string[] {
  const faults: string[] = [];
  const sets = new Map<string, number[]>();
  for (const { name, labels, value } of family.samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    if (name.endsWith('_bucket')) {
      const buckets = sets.get(key) ?? [];
      sets.set(key, buckets);
      if (value < (buckets.at(-1) ?? 0)) faults.push(`${name} falls at le=${le}`);
      buckets.push(value);
    } else if (name.endsWith('_count') && value !== sets.get(key)?.at(-1)) {
      faults.push(`${name} is not its last bucket`);
    }
  }
  return faults;
}

t.test('names, types, help texts and labels keep to the conventions', async (t) => {
  const { first, second } = await scrapes();
  const families = parseExposition(first);
  for (const name of NAMES) t.ok(families.has(`southbridge_${name}`), `southbridge_${name} is exported`);

  for (const family of families.values()) {
    const { name, type, help, samples } = family;
    t.match(type, /^(counter|gauge|histogram|summary)$/, `${name} is a ${type}`);
    t.equal(name.endsWith('_total'), type === 'counter' && name.endsWith('_total'), `${name}: only counters`);
    t.ok(help.length > 0, `${name} has a help text`);
    t.same(
      samples.filter((sample) => baseName(sample, family) !== name),
      [],
      `${name}: every sample is its own`,
    );
    const series = samples.map((sample) => JSON.stringify([sample.name, sample.labels]));
    t.equal(new Set(series).size, series.length, `${name}: no series comes twice`);
    if (type === 'histogram') t.same(histogramFaults(family), [], `${name}: buckets add up`);
  }

  for (const { name, type, labels, help } of FAMILIES) {
    const family = families.get(name);
    t.equal(family?.help, help, name);
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: counters, and no others, end in _total`);
    t.notMatch(
      name,
      /(milli|micro|nano)|_(ms|us|ns)(_|$)|_(bucket|sum|count)$|(?<!_build|_node)_info$/,
      `${name}: base units`,
    );
    t.equal(type === 'histogram', /_seconds$/.test(name) && type !== 'gauge', `${name}: histograms are of seconds`);
    const used = new Set(family?.samples.flatMap((sample) => Object.keys(sample.labels)));
    used.delete('le');
    for (const label of used) t.ok(labels.includes(label), `${name}: label ${label} is declared`);
    t.equal(help.includes('ampled: one'), name.includes('_sampled_'), `${name}: a sample says so in name and help`);
  }

  const { status, error, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: second });
  const skip =
    (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT' && 'promtool is not installed (package prometheus)';
  await t.test('promtool finds nothing', { skip }, async (t) => {
    t.equal(status, 0);
    t.equal(`${stdout}${stderr}`.trim(), '');
  });
});

t.test('every table is exposed, each of its names once, and the count of omitted samples comes last', async (t) => {
  const folder = new URL('../../../src/server/metrics/families/', import.meta.url);
  const tables = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const entries: unknown[] = [];
  for (const file of tables) entries.push(...Object.values(await import(new URL(file, folder).href)).flat());
  t.ok(tables.length > 1, `${tables.length} tables`);
  t.equal(new Set(FAMILIES.map(({ name }) => name)).size, FAMILIES.length, 'no name appears twice');
  t.same(new Set(entries), new Set(FAMILIES), 'no entry is missing from the exposition');
  t.equal(FAMILIES.at(-1)?.name, 'southbridge_series_omitted');
});
