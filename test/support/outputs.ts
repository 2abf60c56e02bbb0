import type { BenchEvent, BenchMachine } from './bench-machine.js';

/** What a machine emitted since the last call, in order, in words: all of it, or one kind. */
export function outputs(bench: BenchMachine, kind?: BenchEvent['kind']): string[] {
  return bench
    .takeEvents()
    .filter((event) => !kind || event.kind === kind)
    .map((event) => `${inWords(event)} @${event.virtualTime}`);
}

/** The times (virtual ns) at which the HPET raised a line since the machine was last asked. */
export function raises(bench: BenchMachine): number[] {
  return bench
    .takeEvents()
    .filter((event) => event.kind === 'line' && event.level === 1)
    .map((event) => event.virtualTime);
}

function inWords(event: BenchEvent): string {
  switch (event.kind) {
    case 'line':
      return `line ${event.gsi} = ${event.level}`;
    case 'apic':
      return `pin ${event.pin} vector 0x${event.vector.toString(16)} ${event.trigger ? 'level' : 'edge'}`;
    case 'msi':
      return `msi 0x${event.address.toString(16)} = 0x${event.data.toString(16)}`;
    case 'intr':
      return `intr ${event.level}`;
    case 'address':
      return `logical address of ${event.vcpu}: ${event.address}`;
  }
}
