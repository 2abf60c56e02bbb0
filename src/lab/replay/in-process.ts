import { SOURCE_EXTERNAL, SOURCE_RTC } from '../../core/devices/gsi/sources.js';
import { quirkBits } from '../../core/devices/quirks.js';
import { PRESETS } from '../../core/locking/presets.js';
import { CONTROL_LEGACY_INPUT, CONTROL_RESET } from '../../core/machine/control-path.js';
import { unpackEvent } from '../../core/machine/events.js';
import { Engine } from '../../runtime/engine.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import type { MachineSlot } from '../../runtime/machine-slot.js';
import { type Completion, Request } from '../../runtime/rings/requests.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import {
  quirksOfReplay,
  type ReplayMachine,
  type ReplayOptions,
  type ReplayTarget,
  type Setup,
  type StepOutcome,
  TargetLost,
} from './target.js';
import type { Output, Step } from './trace.js';

const VCPU = 0;
const SLOT = 0;
/** The lines of a board's keyboard controller. */
const KEYBOARD_LINES = [1, 12];

/** Replays on the real threads of this process: one vCPU thread and the main loop. */
export class InProcessTarget implements ReplayTarget {
  readonly name = 'in-process';
  #engine: Promise<Engine> | undefined;
  #machine: InProcessMachine | undefined;

  async open(setup: Setup, options: ReplayOptions): Promise<InProcessMachine> {
    this.#engine ??= this.#start();
    const machine = new InProcessMachine((await this.#engine).slot(SLOT), setup.kind === 'pic');
    this.#machine = machine;
    machine.slot.create(
      {
        slot: SLOT,
        design: PRESETS[options.locking],
        clock: 'manual',
        hpet: setup.hpet,
        ioapic: { version: setup.ioapicVersion, id: 0 },
        pic: setup.kind === 'pic',
        quirks: quirkBits(quirksOfReplay(options)),
        generationCheck: true,
        countOverlap: false,
      },
      (event) => machine.take(event),
    );
    return machine;
  }

  async #start(): Promise<Engine> {
    const engine = new Engine({
      vcpuThreads: 1,
      machines: 1,
      onThreadDeath: ({ thread, reason }) => this.#machine?.lose(`thread ${thread} ended: ${reason}`),
    });
    await engine.start();
    return engine;
  }

  async close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await (await engine)?.close();
  }
}

interface Pending {
  resolve(outcome: StepOutcome): void;
  reject(error: TargetLost): void;
}

export class InProcessMachine implements ReplayMachine {
  readonly #pending: Pending[] = [];
  #outputs: Output[] = [];
  #lost: TargetLost | undefined;

  constructor(
    readonly slot: MachineSlot,
    readonly hasPic: boolean,
  ) {}

  take(event: MachineEvent): void {
    const output = outputOf(event);
    if (output) this.#outputs.push(output);
  }

  lose(reason: string): void {
    this.#lost ??= new TargetLost(reason);
    for (const { reject } of this.#pending) reject(this.#lost);
  }

  perform(step: Step): Promise<StepOutcome> {
    switch (step.op) {
      case 'read':
        return this.#submit(ring.READ, step.size, step.address);
      case 'write':
        return this.#submit(ring.WRITE, step.size, step.address, step.value);
      case 'clock_step':
        return this.#submit(ring.STEP, 0, step.ns);
      case 'set_irq':
        return this.#submit(ring.SET_LINE, 0, step.pin, BigInt(step.level));
      case 'eoi':
        return this.#submit(ring.END_OF_INTERRUPT, 0, 0, BigInt(step.vector));
      case 'in':
        return this.#submit(ring.PORT_READ, 1, step.port);
      case 'out':
        return this.#submit(ring.PORT_WRITE, 1, step.port, step.value);
      case 'inta':
        return this.#submit(ring.INTERRUPT_ACKNOWLEDGE, 0, 0);
    }
  }

  /** Control work of the main loop: a reset, or a change of the HPET's RTC input. */
  async control(step: { op: 'reset' } | { op: 'rtc'; level: number }): Promise<StepOutcome> {
    const lowered = step.op === 'reset' && this.hasPic ? await this.#resetKeyboard() : [];
    if (step.op === 'reset') await this.slot.control(CONTROL_RESET);
    else await this.slot.control(CONTROL_LEGACY_INPUT, SOURCE_RTC * 2 + step.level);
    const outputs = this.#outputs;
    this.#outputs = [];
    return { value: undefined, outputs: [...lowered, ...outputs] };
  }

  /** A board's keyboard controller is reset before the 8259 pair, and lowers its lines. */
  async #resetKeyboard(): Promise<readonly Output[]> {
    const lowered = await Promise.all(KEYBOARD_LINES.map((line) => this.#submit(ring.SET_LINE, 0, line)));
    return lowered.flatMap(({ outputs }) => outputs);
  }

  #submit(operation: number, size: number, address: number, value = 0n): Promise<StepOutcome> {
    if (this.#lost) return Promise.reject(this.#lost);
    const low = Number(value & 0xffffffffn);
    const high = Number(value >> 32n);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      const done: Completion = (request) => {
        const outputs = this.#outputs;
        this.#outputs = [];
        this.#pending.shift()?.resolve(outcomeOf(request, outputs));
      };
      this.slot.perform(new Request(SLOT, VCPU, operation, size, address, low, high, done));
    });
  }

  async close(): Promise<void> {
    // Threads that no longer answer would not let go of it either; they end with the target.
    if (this.#pending.length === 0 && !this.#lost) await this.slot.remove();
  }
}

function outcomeOf({ status, low, high }: Request, outputs: readonly Output[]): StepOutcome {
  switch (status) {
    case ring.OK:
      return { value: (BigInt(high) << 32n) | BigInt(low), outputs };
    case ring.UNASSIGNED:
      return { value: undefined, outputs };
    case ring.NOT_STEPPABLE:
      return { value: undefined, outputs, refused: 'the clock cannot be moved that far' };
    default:
      return { value: undefined, outputs, refused: `status ${status}` };
  }
}

/** An event in the words of the golden traces, which omit lines that the replay itself drives. */
function outputOf(event: MachineEvent): Output | undefined {
  const content = unpackEvent(event);
  switch (content.kind) {
    case 'address':
      return undefined;
    case 'line':
      return event.cause === SOURCE_EXTERNAL ? undefined : { out: 'irq', line: content.gsi, level: content.level };
    case 'apic':
      return {
        out: 'apic',
        dest: content.destination,
        dest_mode: content.destinationMode,
        delivery_mode: content.deliveryMode,
        vector: content.vector,
        trigger_mode: content.trigger,
      };
    case 'msi':
      return { out: 'msi', addr: content.address, data: content.data };
    case 'intr':
      return { out: 'intr', level: content.level };
  }
}
