import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { type InterruptEvent, unpackEvent } from '../../../src/core/machine/events.js';
import { Engine } from '../../../src/runtime/engine.js';
import { Request } from '../../../src/runtime/rings/requests.js';
import * as ring from '../../../src/runtime/rings/submission-ring.js';

t.test('port accesses and acknowledge cycles run on a vCPU thread', async (t) => {
  const engine = new Engine({ vcpuThreads: 1, machines: 1 });
  await engine.start();
  const events: InterruptEvent[] = [];
  engine.slot(0).create(
    {
      slot: 0,
      design: PRESETS['lockless-irq'],
      clock: 'manual',
      hpet: { timers: 3, msi: false, routingCapability: 0 },
      ioapic: { version: 0x20, id: 0 },
      quirks: 0,
      generationCheck: true,
      countOverlap: false,
    },
    (event) => events.push(unpackEvent(event)),
  );
  const submit = (operation: number, address: number, low: number) =>
    new Promise<{ status: number; value: number }>((resolve) =>
      engine
        .slot(0)
        .perform(
          new Request(0, 0, operation, 1, address, low, 0, ({ status, low: value }) => resolve({ status, value })),
        ),
    );
  const out = (port: number, value: number) => submit(ring.PORT_WRITE, port, value);

  for (const [port, value] of [
    [0x20, 0x13],
    [0x21, 0x40],
    [0x21, 0x01],
    [0x21, 0x7f],
  ]) {
    t.same(await out(port, value), { status: ring.OK, value: 0 });
  }
  t.same(await submit(ring.PORT_READ, 0x21, 0), { status: ring.OK, value: 0x7f });
  await submit(ring.SET_LINE, 7, 1);
  t.same(await submit(ring.INTERRUPT_ACKNOWLEDGE, 0, 0), { status: ring.OK, value: 0x47 });
  const intr = events.flatMap((event) => (event.kind === 'intr' ? [event.level] : []));
  t.same(intr, [1, 0]);
  t.equal((await submit(ring.PORT_READ, 0x70, 0)).status, ring.BAD_PORT);
  t.equal((await out(0x70, 0)).status, ring.BAD_PORT);
  await engine.close();
});
