import t from 'tap';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  INTERRUPT_STATUS,
  LEVEL,
  LEVEL_TRIGGERED,
  LOGICAL,
  MAIN_COUNTER,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
  writeEntry,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const TICKS_PER_MS = 100_000n;
const ONE_SHOT = 0x41;
const PERIODICAL = 0x42;
const LEVEL_VECTOR = 0x43;

t.test('timers of a running clock interrupt the vCPUs that they address', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', vcpus: 2 }] });
  t.teardown(server.stop);
  const [boot, second] = [await server.connect('m', 0), await server.connect('m', 1)];
  await boot.request({ type: 'apic', logicalId: 1, format: 'flat' });
  await second.request({ type: 'apic', logicalId: 2, format: 'flat' });

  await writeEntry(boot, 16, ONE_SHOT, 1);
  await writeEntry(boot, 17, PERIODICAL | LOGICAL, 0b10);
  await writeEntry(boot, 18, LEVEL_VECTOR | LOGICAL | LEVEL_TRIGGERED, 0b01);
  await boot.write(GENERAL_CONFIGURATION, 8, 1);
  const after = async (ms: bigint) => (await boot.read(MAIN_COUNTER, 8)) + ms * TICKS_PER_MS;

  // One-shot: physical destination 1.
  await boot.write(timerConfiguration(0), 8, ENABLE | route(16));
  await boot.write(timerComparator(0), 8, await after(2n));
  t.match(await second.interrupt(ONE_SHOT), {
    deliveryMode: 'fixed',
    triggerMode: 'edge',
    destinationMode: 'physical',
    destination: 1,
  });

  // Periodic, every millisecond: logical destination 0b10.
  await boot.write(timerConfiguration(1), 8, ENABLE | PERIODIC | VALUE_SET | route(17));
  await boot.write(timerComparator(1), 8, await after(1n));
  await boot.write(timerComparator(1), 8, TICKS_PER_MS);
  for (let tick = 0; tick < 5; tick++) {
    t.match(await second.interrupt(PERIODICAL), { destinationMode: 'logical', destination: 2, triggerMode: 'edge' });
  }
  await boot.write(timerConfiguration(1), 8, 0);

  // Level: logical destination 0b01, acknowledged through ISR and EOI, twice.
  await boot.write(timerConfiguration(2), 8, ENABLE | LEVEL | route(18));
  for (let round = 0; round < 2; round++) {
    await boot.write(timerComparator(2), 8, await after(1n));
    t.match(await boot.interrupt(LEVEL_VECTOR), { triggerMode: 'level', destination: 1 });
    t.equal(await boot.read(INTERRUPT_STATUS, 8), 4n);
    const pin = async () => (await server.get('/v1/machines/m/ioapic')).entries[18];
    t.match(await pin(), { remoteIrr: true, input: 1 });
    await boot.write(INTERRUPT_STATUS, 8, 4);
    t.match(await pin(), { remoteIrr: true, input: 0 }, 'the line is low, the local APIC still busy');
    await boot.request({ type: 'eoi', vector: LEVEL_VECTOR });
    t.match(await pin(), { remoteIrr: false, input: 0 });
  }

  t.same(
    boot.interrupts.map(({ vector }) => vector),
    [LEVEL_VECTOR, LEVEL_VECTOR],
    'vCPU 0 got nothing else',
  );
  t.equal(second.interrupts.filter(({ vector }) => vector === ONE_SHOT).length, 1);
  t.equal(second.interrupts.filter(({ vector }) => vector === LEVEL_VECTOR).length, 0);
});
