import t from 'tap';
import type { MachineConfigInput } from '../../../src/config/machine.js';
import { parseExposition, type ScrapedFamily, total } from '../../support/exposition.js';
import { TestServer } from '../../support/server.js';

type Scrape = Map<string, ScrapedFamily>;

/** Everything in a scrape that may only grow, by its series. */
function growing(scrape: Scrape): Map<string, number> {
  const values = new Map<string, number>();
  for (const { name, type, samples } of scrape.values()) {
    if (!name.startsWith('southbridge_') || (type !== 'counter' && type !== 'histogram')) continue;
    for (const sample of samples) values.set(`${sample.name}${JSON.stringify(sample.labels)}`, sample.value);
  }
  return values;
}

/** Series that are lower than before, or gone. */
function fallen(before: Scrape, after: Scrape): string[] {
  const now = growing(after);
  return [...growing(before)].filter(([series, value]) => (now.get(series) ?? -1) < value).map(([series]) => series);
}

async function scrape(server: TestServer): Promise<Scrape> {
  return parseExposition(await server.get('/metrics'));
}

async function work(server: TestServer, name: string, reads: number): Promise<void> {
  const vcpu = await server.connect(name, 0);
  for (let i = 0; i < reads; i++) await vcpu.read(0xfed00000, 8);
  await vcpu.close();
}

const create = (server: TestServer, machine: MachineConfigInput) => server.request('POST', '/v1/machines', machine);
const remove = (server: TestServer, name: string) => server.request('DELETE', `/v1/machines/${name}`);
const ACCESSES = 'southbridge_mmio_accesses_total';
const READS = 'southbridge_lock_acquisitions_total';

t.test('reset, deletion and a new machine of the same name leave every counter as it was, or higher', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'a' }] });
  t.teardown(server.stop);
  const steps: [string, () => Promise<unknown>][] = [
    ['work', () => work(server, 'a', 10)],
    ['reset', () => server.request('POST', '/v1/machines/a/reset')],
    ['deletion', () => remove(server, 'a')],
    ['nothing', async () => {}],
    ['a new machine', () => create(server, { name: 'a' })],
    ['its work', () => work(server, 'a', 3)],
    ['deletion again', () => remove(server, 'a')],
    ['one of another design', () => create(server, { name: 'a', locking: 'bql' })],
    ['its work', () => work(server, 'a', 2)],
  ];
  let before = await scrape(server);
  for (const [name, step] of steps) {
    await step();
    const after = await scrape(server);
    t.same(fallen(before, after), [], `after ${name}`);
    before = after;
  }
  t.equal(total(before, ACCESSES, { machine: 'a', locking: 'lockless-timer' }), 13, 'both of that name and design');
  t.equal(total(before, ACCESSES, { machine: 'a', locking: 'bql' }), 2, 'the third is told apart');
  t.equal(total(before, READS, { machine: 'a', lock: 'device', site: 'mmio-read' }), 13);
  t.equal(total(before, READS, { machine: 'a', locking: 'bql', lock: 'bql', site: 'mmio-read' }), 2);
});

t.test('machines beyond the measured ones share a label per design', async (t) => {
  const server = await TestServer.start({
    limits: { measuredMachines: 2 },
    machines: ['a', 'b', 'c', 'd'].map((name) => ({ name })),
  });
  t.teardown(server.stop);
  const axes = { mmio: 'device', timer: 'device', irq: 'try-queue', control: 'none' };
  await create(server, { name: 'e', locking: 'bql' });
  await create(server, { name: 'f', locking: axes as MachineConfigInput['locking'] });
  for (const [reads, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) await work(server, name, reads + 1);
  const before = await scrape(server);
  const machines = new Set(before.get(ACCESSES)?.samples.map(({ labels }) => labels.machine));
  t.same([...machines].sort(), ['_other', 'a', 'b']);
  t.equal(total(before, ACCESSES, { machine: 'b' }), 2);
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'lockless-timer' }), 3 + 4);
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'bql' }), 5);
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'custom' }), 6);

  await remove(server, 'a');
  await remove(server, 'c');
  await create(server, { name: 'g' });
  await work(server, 'g', 1);
  const after = await scrape(server);
  t.same(fallen(before, after), []);
  t.equal(total(after, ACCESSES, { machine: 'a' }), 1, 'a deleted machine keeps its series');
  t.equal(total(after, ACCESSES, { machine: '_other', locking: 'lockless-timer' }), 3 + 4 + 1);
});
