import t from 'tap';
import { allRoutes, pathOf } from '../../support/routes.js';
import { TestServer } from '../../support/server.js';

const MUTATING = ['POST', 'PUT', 'PATCH', 'DELETE'];

t.test('a misspelt key is refused by every route', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const before = JSON.stringify(await server.get('/v1/machines/default/ioapic'));
  const routes = await allRoutes();

  const mutating = routes.filter(({ method }) => MUTATING.includes(method));
  t.ok(mutating.length >= 9, `${mutating.length} mutating routes`);
  for (const { method, url } of mutating) {
    const reply = await server.request(method, pathOf(url), { misspelt: 1 });
    t.equal(reply.status, 400, `${method} ${url}`);
    t.equal(reply.body.error?.code, 'unknown-key', `${method} ${url}`);
    t.equal(reply.body.error?.key, 'misspelt', `${method} ${url}`);
  }

  const ours = routes.filter(({ url, method }) => url.startsWith('/v1/') && MUTATING.concat('GET').includes(method));
  for (const { method, url } of ours) {
    const reply = await server.request(method, `${pathOf(url)}?misspelt=1`, method === 'GET' ? undefined : {});
    // A socket asked for without an upgrade is refused for that first.
    const code = /vcpus|irqs$/.test(url) ? 'upgrade-required' : '(unknown-key|invalid-body)';
    t.match(reply.body.error?.code, new RegExp(`^${code}$`), `${method} ${url}?misspelt=1`);
  }
  const machines = await server.get('/v1/machines');
  t.same(
    machines.machines.map(({ name, state }: { name: string; state: string }) => [name, state]),
    [['default', 'running']],
  );
  const after = await server.get('/v1/machines/default/ioapic');
  t.same({ ...after, virtualTime: 0 }, { ...JSON.parse(before), virtualTime: 0 });
});
