import { join } from 'node:path';
import t from 'tap';
import { PROFILE_NAMES, type Profile } from '../../../src/core/devices/quirks.js';
import { LEVEL_TRIGGERED, LOGICAL, writeEntry } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const VECTOR = 0x50;

const machine = (name: string, profile: Profile) => ({ name, clock: 'manual', vcpus: 3, hpet: { profile } }) as const;

/** Lets a client's requests make the round of a level line; returns what the IOAPIC shows after each. */
async function rounds(server: TestServer, name: string): Promise<object[]> {
  const shown: object[] = [];
  const boot = await server.connect(name, 0);
  const show = async () => shown.push(await server.get(`/v1/machines/${name}/ioapic`));
  await writeEntry(boot, 16, LEVEL_TRIGGERED | VECTOR, 1);
  await writeEntry(boot, 17, LEVEL_TRIGGERED | LOGICAL | VECTOR, 4);
  await writeEntry(boot, 18, LEVEL_TRIGGERED | VECTOR, 3);
  for (const gsi of [16, 17, 18]) {
    await boot.request({ type: 'line', gsi, level: 1 });
    await show();
  }
  await boot.request({ type: 'apic', logicalId: 4, format: 'flat' });
  await show();
  await boot.request({ type: 'eoi', vector: VECTOR });
  await show();
  await boot.close();
  return shown;
}

for (const profile of PROFILE_NAMES) {
  t.test(`the state of a machine does not depend on which vCPUs are connected, with ${profile}`, async (t) => {
    const server = await TestServer.start({ machines: ['away', 'connected'].map((name) => machine(name, profile)) });
    t.teardown(server.stop);
    const away = await rounds(server, 'away');
    const others = await Promise.all([1, 2].map((vcpu) => server.connect('connected', vcpu)));
    t.same(await rounds(server, 'connected'), away);
    const late = await server.connect('away', 1);
    for (const vcpu of [late, others[0]]) {
      await vcpu.request({ type: 'sync' });
      t.equal(vcpu.interrupts.length, 2, 'what was sent to a vCPU that is away was queued');
    }
  });
}

t.test('an apic message delivers what waits for that id, to the vCPU that has it now, before its reply', async (t) => {
  const server = await TestServer.start({ machines: [machine('m', 'standard')] });
  t.teardown(server.stop);
  const vcpus = await Promise.all([0, 1].map((vcpu) => server.connect('m', vcpu)));
  const [boot, second] = vcpus;
  await writeEntry(boot, 16, LEVEL_TRIGGERED | LOGICAL | VECTOR, 2);
  await boot.request({ type: 'line', gsi: 16, level: 1 });
  await second.request({ type: 'apic', logicalId: 1, format: 'flat' });
  t.equal(second.interrupts.length, 0);
  await second.request({ type: 'apic', logicalId: 2, format: 'flat' });
  t.match(second.received.slice(-2), [{ type: 'interrupt', vector: VECTOR, destination: 2 }, { type: 'reply' }]);
  await second.request({ type: 'apic', logicalId: 0, format: 'flat' });
  await boot.request({ type: 'apic', logicalId: 2, format: 'flat' });
  await second.request({ type: 'eoi', vector: VECTOR });
  await boot.request({ type: 'sync' });
  t.equal(boot.interrupts.length, 1, 'the EOI finds the line high, and vCPU 0 has the id now');
  t.equal(second.interrupts.length, 1);
});

t.test('logical ids are in force after a restart, and after a restore into a machine with others', async (t) => {
  const stateDir = join(temporaryFolder(t), 'state');
  const first = await TestServer.start({ stateDir, machines: [machine('m', 'standard')] });
  const boot = await first.connect('m', 0);
  await boot.request({ type: 'apic', logicalId: 0x12, format: 'cluster' });
  await writeEntry(boot, 17, LEVEL_TRIGGERED | LOGICAL | 0x51, 0x22);
  await boot.request({ type: 'line', gsi: 17, level: 1 });
  const snapshot = await first.get('/v1/machines/m/snapshot');
  await first.stop();

  const server = await TestServer.start({ stateDir, machines: [machine('m', 'standard'), machine('n', 'standard')] });
  t.teardown(server.stop);
  const back = await server.connect('m', 0);
  await writeEntry(back, 16, LEVEL_TRIGGERED | LOGICAL | VECTOR, 0x12);
  await back.request({ type: 'line', gsi: 16, level: 1 });
  t.equal(back.interrupts.length, 1, 'of the checkpoint');
  const { entries } = await server.get('/v1/machines/m/ioapic');
  t.same([entries[16].remoteIrr, entries[17].remoteIrr], [true, false]);

  const other = await server.connect('n', 2);
  await other.request({ type: 'apic', logicalId: 0x22, format: 'cluster' });
  const { status } = await server.request('PUT', '/v1/machines/n/snapshot', snapshot);
  t.equal(status, 200);
  t.match(await other.interrupt(0x51), { type: 'interrupt' }, 'pending in the snapshot');
});
