import t from 'tap';
import type { MachineConfigInput } from '../../../src/config/machine.js';
import { parseExposition, type ScrapedFamily, total } from '../../support/exposition.js';
import { southbridgeBeside } from '../../support/program.js';
import { TestServer } from '../../support/server.js';

type Scrape = Map<string, ScrapedFamily>;

/** Everything in a scrape that may only grow, summed over the machines of each design. */
function growing(scrape: Scrape): Map<string, number> {
  const values = new Map<string, number>();
  for (const { name, type, samples } of scrape.values()) {
    if (!name.startsWith('southbridge_') || (type !== 'counter' && type !== 'histogram')) continue;
    for (const { name: series, labels, value } of samples) {
      const { machine, ...rest } = labels;
      const key = `${series}${JSON.stringify(rest)}`;
      values.set(key, (values.get(key) ?? 0) + value);
    }
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

/** The machines that have series. */
function machinesIn(scrape: Scrape): string[] {
  const names = [...scrape.values()].flatMap(({ samples }) => samples.map(({ labels }) => labels.machine));
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

t.test('sums over all machines never fall: not by reset, deletion or a new machine of the same name', async (t) => {
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
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'lockless-timer' }), 13, 'both of that design');
  t.equal(total(before, ACCESSES, { machine: 'a' }), 2, 'the third has only its own');
  t.equal(total(before, READS, { machine: '_other', lock: 'device', site: 'mmio-read' }), 13);
  t.equal(total(before, READS, { machine: 'a', locking: 'bql', lock: 'bql', site: 'mmio-read' }), 2);
});

t.test('machines beyond the measured ones share a label per design, until a place is free', async (t) => {
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
  t.same(machinesIn(before), ['_other', 'a', 'b']);
  t.equal(total(before, ACCESSES, { machine: 'b' }), 2);
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'lockless-timer' }), 3 + 4);
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'bql' }), 5);
  t.equal(total(before, ACCESSES, { machine: '_other', locking: 'custom' }), 6);
  for (const [name, metrics] of Object.entries({ a: 'own', c: 'shared', f: 'shared' })) {
    t.equal((await server.get(`/v1/machines/${name}`)).metrics, metrics, name);
    t.equal((await server.get(`/v1/machines/${name}/locks/contention`)).metrics, metrics, `contention of ${name}`);
  }

  await remove(server, 'a');
  await create(server, { name: 'g', locking: axes as MachineConfigInput['locking'] });
  await work(server, 'g', 1);
  const after = await scrape(server);
  t.same(fallen(before, after), []);
  t.same(machinesIn(after), ['_other', 'b', 'g'], 'the series of the deleted machine have ended');
  t.equal(total(after, ACCESSES, { machine: 'g' }), 1, 'the new machine has nothing of the deleted one');
  t.equal(total(after, ACCESSES, { machine: '_other', locking: 'lockless-timer' }), 3 + 4 + 1);
  t.match(await server.get('/v1/machines/g/locks/contention'), { metrics: 'own', accesses: { read: 1, write: 0 } });
});

t.test('a machine with shared metrics takes no place', async (t) => {
  const server = await TestServer.start({
    limits: { measuredMachines: 1 },
    machines: [{ name: 'a', metrics: 'shared' }],
  });
  t.teardown(server.stop);
  await create(server, { name: 'b' });
  await work(server, 'a', 2);
  await work(server, 'b', 1);
  const scraped = await scrape(server);
  t.same(machinesIn(scraped), ['_other', 'b']);
  t.equal(total(scraped, ACCESSES, { machine: 'b' }), 1);
});

t.test('after replay, load and a thousand machines, a new machine has its own figures', async (t) => {
  const server = await TestServer.start({ limits: { machines: 8 }, machines: [] });
  t.teardown(server.stop);
  for (const args of [
    ['replay', '--url', server.url, 'test/vectors/hpet_legacy.jsonl', 'test/vectors/ioapic_edge.jsonl'],
    ['load', '--url', server.url, '--vcpus', '1', '--duration', '50ms'],
  ]) {
    t.equal((await southbridgeBeside(args)).status, 0, args[0]);
  }
  const before = await scrape(server);
  t.same(machinesIn(before), ['_other'], 'replay and load have no series of their own');

  const count = 1000;
  const designs = ['lockless-timer', 'bql', 'nested-mutex'] as const;
  for (let index = 0; index < count; index++) {
    await create(server, { name: `m${index}`, locking: designs[index % designs.length] });
    await server.get(`/v1/machines/m${index}/mmio/0xfed00000?size=8`);
    await remove(server, `m${index}`);
  }
  await create(server, { name: 'last' });
  await work(server, 'last', 5);
  const scraped = await scrape(server);
  t.same(machinesIn(scraped), ['_other', 'last'], 'the series are bounded');
  t.equal(total(scraped, ACCESSES, { machine: 'last' }), 5);
  t.equal(total(scraped, ACCESSES) - total(before, ACCESSES), count + 5, 'nothing is lost');
  t.equal((await server.get('/v1/machines/last')).metrics, 'own');
});
