import type { Test } from 'tap';
import { INTERRUPT_STATUS, MAIN_COUNTER, TIMER_BLOCKS } from '../../src/core/devices/hpet/registers.js';
import { IOREDTBL, MASKED } from '../../src/core/devices/ioapic/registers.js';
import type { Design } from '../../src/core/locking/axes.js';
import type { BqlLoadOptions } from '../../src/core/machine/bql-load.js';
import { CONTROL_END_STEPS } from '../../src/core/machine/control-path.js';
import { unpackEvent } from '../../src/core/machine/events.js';
import { LiveMachine } from './live-machine.js';

const VCPUS = 4;
/** Timers 0–3 are one-shot, edge, one per vCPU; timer 4 is level-triggered, and all vCPUs acknowledge it. */
const LEVEL_TIMER = 4;
const LEVEL_LINE = 20;
const LEVEL_VECTOR = 0x44;
const EXTERNAL_LINE = 5;

const timer = (number: number) => TIMER_BLOCKS + 0x20 * number;
const routed = (line: number) => (line << 9) | (1 << 2);

/** Four vCPU threads hammer HPET and IOAPIC, each in step with its own timer, while the main loop has other work. */
export class Hammer {
  machine!: LiveMachine;
  /** One-shots per vCPU. */
  readonly armed = [0, 0, 0, 0];
  readonly fired = [0, 0, 0, 0];
  readonly #raised = new Map<number, () => void>();

  static async start(design: Design, load: BqlLoadOptions): Promise<Hammer> {
    const hammer = new Hammer();
    const machine = await LiveMachine.start(design, VCPUS, (event) => {
      const content = unpackEvent(event);
      if (content.kind !== 'line' || content.level === 0 || event.cause >= VCPUS) return;
      hammer.fired[event.cause]++;
      hammer.#raised.get(event.cause)?.();
    });
    hammer.machine = machine;
    await machine.writeIoapic(0, IOREDTBL + 2 * LEVEL_LINE, 0x8000 | LEVEL_VECTOR);
    for (let vcpu = 0; vcpu < VCPUS; vcpu++) await machine.writeHpet(0, timer(vcpu), routed(16 + vcpu));
    await machine.writeHpet(0, timer(LEVEL_TIMER), routed(LEVEL_LINE) | (1 << 1));
    await machine.writeHpet(0, 0x10, 1);
    machine.loadBql(load);
    return hammer;
  }

  /** Each vCPU does so many rounds at least; resolves when all are done and `enough` says so. */
  async run(rounds: number, enough: () => boolean): Promise<void> {
    await Promise.all(
      this.armed.map(async (_, vcpu) => {
        for (let round = 0; round < rounds || !enough(); round++) await this.#round(vcpu, round);
      }),
    );
  }

  async #round(vcpu: number, round: number): Promise<void> {
    const { machine } = this;
    const fired = new Promise<void>((resolve) => this.#raised.set(vcpu, resolve));
    const now = await machine.readHpet(vcpu, MAIN_COUNTER);
    this.armed[vcpu]++;
    await Promise.all([
      machine.writeHpet(vcpu, timer(vcpu) + 8, now + (round % 5) * 1000),
      machine.readHpet(vcpu, MAIN_COUNTER),
      machine.writeHpet(vcpu, INTERRUPT_STATUS, 1 << LEVEL_TIMER),
      machine.endOfInterrupt(vcpu, LEVEL_VECTOR),
      vcpu === 0 && machine.writeIoapic(vcpu, IOREDTBL + 2 * 21, round & 1 ? MASKED : 0x50),
      vcpu === 1 && machine.setLine(vcpu, EXTERNAL_LINE, round & 1),
      vcpu === 2 && machine.writeHpet(vcpu, timer(LEVEL_TIMER) + 8, now + 500),
    ]);
    await fired;
  }

  /** Fails the test if an event was lost. Call it once no request is in flight. */
  async checkNothingLost(t: Test): Promise<void> {
    const { machine } = this;
    machine.loadBql({ duty: 0, hold: 0, burn: false });
    // A round of the main loop passes by a machine of which a hold has the BQL; control work does not.
    await machine.engine.slot(0).control(CONTROL_END_STEPS);
    t.same(this.fired, this.armed, 'every one-shot fired once');
    const status = await machine.readHpet(0, INTERRUPT_STATUS);
    t.equal(
      machine.sources(LEVEL_LINE),
      status & (1 << LEVEL_TIMER),
      'the level timer holds its line as its status says',
    );
    const lines = Array.from({ length: 24 }, (_, line) => line);
    t.same(
      lines.map((line) => machine.level(line)),
      lines.map((line) => (machine.sources(line) ? 1 : 0)),
      'every line is the OR of its sources',
    );
  }
}
