import t from 'tap';
import { TestServer } from '../../support/server.js';

const server = await TestServer.start();
t.teardown(() => server.stop());

async function machine(name: string, locking: string): Promise<void> {
  const body = { name, locking, xen: { form: 'flag+assert', gsi: 20 } };
  const { status } = await server.request('POST', '/v1/machines', body);
  t.equal(status, 201);
}

const raise = (name: string, gsi: number) => server.request('POST', `/v1/machines/${name}/lines/${gsi}`, { level: 1 });

t.test('a failed assertion of the Xen filter is logged, counted, and shown', async (t) => {
  await machine('failing', 'lockless-irq');
  const { status, body } = await raise('failing', 20);
  t.equal(status, 500);
  t.match(body, { error: { code: 'bql-not-held', machine: 'failing' } });
  t.equal((await raise('failing', 19)).status, 204, 'other lines work');
  const { locks, xen } = await server.get('/v1/machines/failing/locks');
  t.match(xen, { form: 'flag+assert', gsi: 20, failures: 1, last: { site: 'irq-update', thread: /^vcpu-\d$/ } });
  for (const { lock, owner } of locks) t.equal(owner, null, `${lock} is free`);
});

t.test('under the BQL it holds', async (t) => {
  await machine('holding', 'bql');
  t.equal((await raise('holding', 20)).status, 204);
  t.match((await server.get('/v1/machines/holding/locks')).xen, { failures: 0, last: null });
  t.equal((await server.get('/v1/machines/default/locks')).xen, null, 'without a filter');
});
