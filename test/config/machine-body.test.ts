import t from 'tap';
import { PRESET_NAMES } from '../../src/core/locking/presets.js';
import { TestServer } from '../support/server.js';

t.test('POST /v1/machines takes what the file takes, and refuses the rest by name', async (t) => {
  const server = await TestServer.start({ machines: [] });
  t.teardown(server.stop);
  const post = (body: unknown) => server.request('POST', '/v1/machines', body);

  const presets = PRESET_NAMES.map((name) => `"${name}"`).join(', ');
  for (const [part, code, key, expected] of [
    [
      { locking: 'locked' },
      'bad-value',
      'locking',
      `one of ${presets}, or an object with the keys mmio, timer, irq, control`,
    ],
    [
      { locking: { mmio: 'none', timer: 'bql', irq: 'inline', control: 'none' } },
      'bad-value',
      'locking.mmio',
      'one of "bql", "device"',
    ],
    [{ vcpus: 65 }, 'bad-value', 'vcpus', 'a whole number from 1 to 64'],
    [{ vcpus: '2' }, 'bad-value', 'vcpus', 'a whole number from 1 to 64'],
    [{ vcpus: 2 ** 53 }, 'bad-value', 'vcpus', 'a whole number from 1 to 64'],
    [{ ioapic: { version: 32 } }, 'bad-value', 'ioapic.version', 'one of "0x11", "0x20"'],
    [{ hpet: { msi: 1 } }, 'bad-value', 'hpet.msi', 'true or false'],
    [{ hpet: { tmers: 3 } }, 'unknown-key', 'hpet.tmers', undefined],
    [{ hpet: { quirks: { storm: true } } }, 'unknown-key', 'hpet.quirks.storm', undefined],
  ] as const) {
    const { status, body } = await post({ name: 'x', ...part });
    t.equal(status, 400, key);
    t.match(body, { error: { code, key, ...(expected && { expected }) } }, JSON.stringify(part));
  }
  t.match((await post({ locking: 'bql' })).body, { error: { code: 'invalid-body', reason: /name/ } });
  t.strictSame((await server.get('/v1/machines')).machines, [], 'nothing was made');

  const { status, body } = await post({ name: 'x', locking: 'nested-mutex', hpet: { timers: 24 }, onDeadlock: 'hang' });
  t.equal(status, 201);
  t.match(body, { name: 'x', locking: { preset: 'nested-mutex', class: 'unsafe' }, hpet: { timers: 24 } });
});
