// The main loop of a small emulator, with promises: a guest that sets up a periodic timer, halts until it interrupts, and
// reads the main counter each time.
//
//   node examples/emulator-loop.mjs http://127.0.0.1:8080
import { Southbridge } from 'southbridge/client';

const HPET = 0xfed00000;
const IOAPIC = 0xfec00000;
const VECTOR = 0x40;
const PIN = 2;
const TICKS = 5;

const server = new Southbridge(process.argv[2] ?? 'http://127.0.0.1:8080');
const machine = `example-${process.pid}`;
await server.createMachine({ name: machine, locking: 'lockless-timer' });
const vcpu = await server.vcpu(machine, 0);

// Redirection entry 2: edge, fixed, to APIC 0. Writes of one turn go in one frame, in this order.
vcpu.post(IOAPIC, 4, 0x10 + 2 * PIN);
vcpu.post(IOAPIC + 0x10, 4, VECTOR);
// Timer 0: periodic, routed to GSI 2, every 5 ms (the main counter has a period of 10 ns).
vcpu.post(HPET + 0x100, 8, (PIN << 9) | (1 << 6) | (1 << 3) | (1 << 2));
vcpu.post(HPET + 0x108, 8, 500_000);
vcpu.post(HPET + 0x108, 8, 500_000);
await vcpu.write(HPET + 0x010, 8, 1);

let ticks = 0;
for await (const event of vcpu.events()) {
  if (event.type !== 'interrupt' || event.message.vector !== VECTOR) continue;
  ticks++;
  console.log(`tick ${ticks}: main counter ${await vcpu.read(HPET + 0x0f0, 8)}`);
  if (ticks === TICKS) break;
}
vcpu.close();
await server.deleteMachine(machine);
