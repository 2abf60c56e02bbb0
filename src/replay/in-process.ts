import { SOURCE_EXTERNAL } from '../devices/gsi/sources.js';
import { PROFILES, quirkBits } from '../devices/quirks.js';
import type { MachineEvent } from '../events/event-ring.js';
import { PRESETS } from '../locking/presets.js';
import { EVENT_APIC, EVENT_INTR, EVENT_LINE } from '../machine/events.js';
import { Engine } from '../threads/engine.js';
import * as ring from '../threads/submission-ring.js';
import type { Outcome, ReplayMachine, ReplayOptions, ReplayTarget } from './target.js';
import type { Output, Step, Trace } from './trace.js';

/** Replays on the real threads of this process: one vCPU thread and the main loop. */
export class InProcessTarget implements ReplayTarget {
  readonly name = 'in-process';
  readonly #engine = new Engine({ vcpuThreads: 1, machines: 1 });
  #started: Promise<void> | undefined;

  async open(trace: Trace, options: ReplayOptions): Promise<ReplayMachine> {
    this.#started ??= this.#engine.start();
    await this.#started;
    const machine = new InProcessMachine(this.#engine);
    this.#engine.createMachine(
      {
        slot: 0,
        design: PRESETS[options.locking],
        clock: 'manual',
        hpet: trace.hpet,
        ioapic: { version: trace.ioapicVersion, id: 0 },
        // The traces drive pins of the IOAPIC, and an 8259 that was never initialised answers it.
        pic: false,
        quirks: quirkBits(PROFILES[options.profile]),
        generationCheck: true,
        countOverlap: false,
      },
      (event) => machine.take(event),
    );
    return machine;
  }

  async close(): Promise<void> {
    if (this.#started) await this.#engine.close();
  }
}

class InProcessMachine implements ReplayMachine {
  #outputs: Output[] = [];

  constructor(readonly engine: Engine) {}

  take(event: MachineEvent): void {
    const output = outputOf(event);
    if (output) this.#outputs.push(output);
  }

  perform(step: Step): Promise<Outcome> {
    return new Promise((resolve) => {
      const submit = (operation: number, size: number, address: number, low: number, high: number) =>
        this.engine.submit(0, 0, operation, size, address, low, high, (status, resultLow, resultHigh) => {
          const outputs = this.#outputs;
          this.#outputs = [];
          const value = status === ring.OK ? (BigInt(resultHigh) << 32n) | BigInt(resultLow) : undefined;
          resolve({ value, outputs });
        });
      switch (step.op) {
        case 'read':
          return submit(ring.READ, step.size, step.address, 0, 0);
        case 'write':
          return submit(
            ring.WRITE,
            step.size,
            step.address,
            Number(step.value & 0xffffffffn),
            Number(step.value >> 32n),
          );
        case 'clock_step':
          return submit(ring.STEP, 0, step.ns, 0, 0);
        case 'set_irq':
          return submit(ring.SET_LINE, 0, step.pin, step.level, 0);
        case 'eoi':
          return submit(ring.END_OF_INTERRUPT, 0, 0, step.vector, 0);
      }
    });
  }

  async close(): Promise<void> {
    await this.engine.removeMachine(0);
  }
}

/** An event in the words of the golden traces, which know nothing of external drivers' levels. */
function outputOf(event: MachineEvent): Output | undefined {
  switch (event.kind) {
    case EVENT_LINE:
      return event.cause === SOURCE_EXTERNAL ? undefined : { out: 'irq', line: event.a, level: event.b };
    case EVENT_APIC:
      return {
        out: 'apic',
        dest: event.b & 0xff,
        dest_mode: (event.b >> 8) & 1,
        delivery_mode: (event.b >> 9) & 7,
        vector: event.c,
        trigger_mode: (event.b >> 12) & 1,
      };
    case EVENT_INTR:
      return undefined;
    default:
      return { out: 'msi', addr: `${event.b >>> 0}`, data: `${event.c >>> 0}` };
  }
}
