import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { type Interrupt, RequestError, type Restored, SyncVcpu } from '../../../src/client/sync/index.js';
import { HPET, IOAPIC } from '../../support/guest.js';
import { guestImage, TICKS_AT } from '../../support/guest-image.js';

/**
 * A thread that runs a guest on v86, an emulator from npm. Its IOAPIC and HPET are those of a server, by the blocking client, and
 * virtual time is the server's manual clock, which the emulator steps to the next deadline while the guest halts.
 */

export interface GuestData {
  /** Folder of the package v86. */
  readonly v86: string;
  readonly url: string;
  /** How many interrupts the guest gets, and after which the thread reports. */
  readonly interrupts: number;
  readonly reports: readonly number[];
}

export interface GuestReport {
  /** Interrupts that the client delivered, and those that the guest counted. */
  readonly delivered: number;
  readonly ticks: number;
  /** What replaced the state: of the interrupts that came before, those that it does not contain, and whether one was missed. */
  readonly restored: { readonly undone: number; readonly mayMiss: boolean }[];
}

const BLOCK = 0x20000;
const MEMORY = 4 * 1024 * 1024;
/** ns of virtual time: a step ends at the deadline of the timer, which is sooner. */
const LONG = 1_000_000_000;

const { v86, url, interrupts, reports } = workerData as GuestData;
const { V86 } = await import(pathToFileURL(join(v86, 'build/libv86.mjs')).href);
const emulator = new V86({
  wasm_path: join(v86, 'build/v86.wasm'),
  memory_size: MEMORY,
  vga_memory_size: 1024 * 1024,
  acpi: true,
  autostart: false,
  disable_speaker: true,
  multiboot: { buffer: guestImage().buffer },
});
await new Promise<void>((resolve) => emulator.add_listener('emulator-ready', resolve));
const { cpu } = emulator.v86;

const arrived: Interrupt[] = [];
const sequences: number[] = [];
const restored: GuestReport['restored'] = [];
let delivered = 0;

const vcpu = SyncVcpu.connect(url, 'm', 0, {
  reconnect: { delayMs: 10 },
  timeoutMs: 120_000,
  onEvent: (event) => {
    if (event.type === 'interrupt') {
      arrived.push(event);
      sequences.push(event.sequence);
    } else if (event.type === 'restored') noteRestored(event);
    else if (event.type === 'gap') throw new Error(`a gap from ${event.from} to ${event.to}`);
  },
});

function noteRestored({ event }: Restored): void {
  const undone = sequences.filter((sequence) => sequence > event).length;
  restored.push({ undone, mayMiss: event > (sequences.at(-1) ?? 0) });
  sequences.length = 0;
}

/** A request that was lost with a server is made again: whether it was applied does not matter here. */
function insist<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof RequestError && error.code === 'connection-lost')) throw error;
    }
  }
}

// The IOAPIC and the HPET are at the server.
for (const base of [IOAPIC, HPET]) {
  const read = (size: 1 | 4) => (address: number) => insist(() => vcpu.read(address, size)) as number;
  const write = (size: 1 | 4) => (address: number, value: number) => insist(() => vcpu.write(address, size, value));
  cpu.io.mmap_register(base | 0, BLOCK, read(1), write(1), read(4), write(4));
}
cpu.devices.ioapic = {
  set_irq: () => {},
  clear_irq: () => {},
  remote_eoi: (vector: number) => insist(() => vcpu.endOfInterrupt(vector)),
};

/** Between two instructions of the guest. */
function deliver(): void {
  for (const { message } of arrived.splice(0)) {
    cpu.devices.apic.route(message.vector, message.deliveryMode, message.level, message.destination, message.logical);
    delivered++;
  }
}

function report(): void {
  parentPort?.postMessage({ delivered, ticks: cpu.mem32s[TICKS_AT >> 2], restored } satisfies GuestReport);
}

const waiting = [...reports];
for (;;) {
  cpu.main_loop();
  deliver();
  if (!cpu.in_hlt[0]) continue;
  if (delivered >= (waiting[0] ?? Number.POSITIVE_INFINITY)) {
    waiting.shift();
    report();
  }
  if (delivered >= interrupts) break;
  insist(() => vcpu.step(LONG, { toDeadline: true }));
  deliver();
}
report();
vcpu.close();
process.exit();
