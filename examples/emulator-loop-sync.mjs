// The main loop of a small emulator whose MMIO callbacks must return with the value: calls block.
//
//   node examples/emulator-loop-sync.mjs http://127.0.0.1:8080
import { SyncVcpu } from 'southbridge/client/sync';

const HPET = 0xfed00000;
const IOAPIC = 0xfec00000;
const VECTOR = 0x40;
const PIN = 2;
const TICKS = 5;

/** Interrupts that the emulated local APIC has not taken yet. */
const requested = [];

const vcpu = SyncVcpu.connect(process.argv[2] ?? 'http://127.0.0.1:8080', 'default', 0, {
  onEvent: (event) => {
    if (event.type === 'interrupt') requested.push(event.message.vector);
  },
});

// As an emulator calls them for guest physical addresses of the two devices.
const mmioRead = (address, size) => vcpu.read(address, size);
const mmioWrite = (address, size, value) => vcpu.write(address, size, value);

mmioWrite(IOAPIC, 4, 0x10 + 2 * PIN);
mmioWrite(IOAPIC + 0x10, 4, VECTOR);
mmioWrite(HPET + 0x100, 8, (PIN << 9) | (1 << 2));
mmioWrite(HPET + 0x010, 8, 1);

for (let tick = 1; tick <= TICKS; tick++) {
  // A one-shot in 5 ms, as a tickless kernel programs it.
  mmioWrite(HPET + 0x108, 8, mmioRead(HPET + 0x0f0, 8) + 500_000n);
  // HLT
  while (requested.length === 0) vcpu.waitForEvent(1000);
  console.log(`tick ${tick}: vector 0x${requested.shift().toString(16)}, main counter ${mmioRead(HPET + 0x0f0, 8)}`);
}
mmioWrite(HPET + 0x010, 8, 0);
vcpu.close();
