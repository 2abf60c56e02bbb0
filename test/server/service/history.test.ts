import t from 'tap';
import { pulse, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { VcpuClient } from '../../support/vcpu-client.js';

t.test('a subscriber who comes back gets what it missed, and a gap for what is no longer kept', async (t) => {
  const server = await TestServer.start({ limits: { history: 4 }, machines: [{ name: 'm', clock: 'manual' }] });
  t.teardown(server.stop);
  const boot = await server.connect('m', 0);
  await writeEntry(boot, 4, 0x30, 0);
  const subscribe = (after?: number) =>
    VcpuClient.connect(server.socketUrl(`/v1/machines/m/irqs${after === undefined ? '' : `?after=${after}`}`));
  const numbers = (client: VcpuClient) => client.received.filter(({ type }) => type === 'irq').map((e) => e.sequence);

  const first = await subscribe();
  await pulse(boot, 4);
  const last = await first.next((message) => message.type === 'irq' && message.kind === 'line' && message.level === 0);
  await first.close();
  await pulse(boot, 4);

  const second = await subscribe(Number(last.sequence));
  const missed = Number((await server.get('/v1/machines/m')).sequence);
  await second.next((message) => message.sequence === String(missed) && message.type === 'irq');
  t.same(
    numbers(second),
    Array.from({ length: missed - Number(last.sequence) }, (_, i) => String(Number(last.sequence) + 1 + i)),
  );
  await second.close();

  const third = await subscribe(0);
  const gap = await third.next(({ type }) => type === 'gap');
  await third.next((message) => message.sequence === String(missed) && message.type === 'irq');
  t.match(gap, { from: '1', to: String(missed - 4) });
  t.same(numbers(third), [missed - 3, missed - 2, missed - 1, missed].map(String), 'the last four are kept');
  await t.rejects(VcpuClient.connect(server.socketUrl('/v1/machines/m/irqs?after=x')), { message: /bad-value/ });
});
