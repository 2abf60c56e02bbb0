import t from 'tap';
import { GENERAL_CONFIGURATION } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const LEGACY = 2;

const server = await TestServer.start({
  machines: [
    { name: 'm', clock: 'manual' },
    { name: 'xen', clock: 'manual', xen: { form: 'source-id', gsi: 20 } },
    { name: 'asserting', locking: 'lockless-irq', xen: { form: 'flag+assert', gsi: 20 } },
  ],
});
t.teardown(() => server.stop());

const drive = (machine: string, input: string, level: number) =>
  server.request('POST', `/v1/machines/${machine}/inputs/${input}`, { level });

t.test('the outputs of PIT and RTC are lines, until legacy replacement cuts them off', async (t) => {
  const vcpu = await server.connect('m', 0);
  await vcpu.request({ type: 'subscribe', kinds: ['line'] });
  t.equal((await drive('m', 'pit', 1)).status, 204);
  t.match(await vcpu.next(({ type }) => type === 'irq'), { gsi: 0, level: 1, source: 'pit' });
  t.equal((await drive('m', 'rtc', 1)).status, 204);
  t.match(await vcpu.next(({ type }) => type === 'irq'), { gsi: 8, level: 1, source: 'rtc' });

  await vcpu.write(GENERAL_CONFIGURATION, 8, LEGACY);
  t.match(await vcpu.next(({ type }) => type === 'irq'), { gsi: 0, level: 0, source: 'pit' });
  t.match(await vcpu.next(({ type }) => type === 'irq'), { gsi: 8, level: 0, source: 'rtc' });
  t.equal((await drive('m', 'rtc', 0)).status, 204, 'which goes nowhere');

  await vcpu.write(GENERAL_CONFIGURATION, 8, 0);
  t.match(await vcpu.next(({ type }) => type === 'irq'), { gsi: 0, level: 1, source: 'pit' }, 'the PIT still drives');
  t.equal((await drive('m', 'pit', 0)).status, 204);
  t.match(await vcpu.next(({ type }) => type === 'irq'), { gsi: 0, level: 0, source: 'pit' }, 'and the RTC does not');
  await vcpu.close();
});

t.test('the callback of Xen’s event channel', async (t) => {
  const vcpu = await server.connect('xen', 0);
  await vcpu.write(0xfec00000, 4, 0x10 + 2 * 20);
  await vcpu.write(0xfec00010, 4, 0x41);
  t.equal((await drive('xen', 'xen', 1)).status, 204);
  await vcpu.interrupt(0x41);
  await vcpu.close();

  t.match(await drive('m', 'xen', 1), { status: 409, body: { error: { code: 'no-xen-filter', machine: 'm' } } });
  t.match(await drive('asserting', 'xen', 1), { status: 500, body: { error: { code: 'bql-not-held' } } });
});

t.test('what is no input, or no level', async (t) => {
  t.match(await drive('m', 'nmi', 1), { status: 400, body: { error: { code: /^[a-z-]+$/ } } });
  t.match(await drive('m', 'pit', 2), { status: 400, body: { error: { code: /^[a-z-]+$/ } } });
  t.match(await drive('nobody', 'pit', 1), { status: 404, body: { error: { code: 'unknown-machine' } } });
});
