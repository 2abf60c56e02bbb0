import * as G from '../../core/devices/guest-map.js';
import * as H from '../../core/devices/hpet/registers.js';
import * as I from '../../core/devices/ioapic/registers.js';
import type { Machine } from '../../core/machine/machine.js';
import type { U64 } from '../../core/memory/u64.js';
import { Random } from '../random.js';

export const MAX_VCPUS = 4;
/** Timers 0 to 3 are one-shots of one vCPU each; the last is level-triggered, and all vCPUs acknowledge it. */
const LEVEL_TIMER = MAX_VCPUS;
export const TIMERS = LEVEL_TIMER + 1;
const LEVEL_LINE = 20;
const LEVEL_VECTOR = 0x44;
const ONE_SHOT_LINE = 16;
/** Ticks of 10 ns between the interrupts of the clock in a counter read storm. */
const STORM_TICK = 100_000;

/**
 * The accesses of a vCPU, modelled on a tickless guest. Seven in ten read the main counter. The others read status and
 * configuration, arm the vCPU's next one-shot, acknowledge the level timer with its EOI, and move its next match.
 */
export class Workload {
  readonly #random: Random;

  constructor(
    readonly machine: Machine,
    readonly vcpu: number,
    seed: number,
    readonly value: U64,
  ) {
    this.#random = new Random(seed * MAX_VCPUS + vcpu);
  }

  /** Once per machine, before the first access. */
  static prepare(machine: Machine, value: U64): void {
    const write = (address: number, size: number, data: number) => machine.write(address, size, value.setNumber(data));
    for (let vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
      write(G.hpetTimer(vcpu), 8, ((ONE_SHOT_LINE + vcpu) << H.INT_ROUTE_SHIFT) | H.INT_ENB_CNF);
    }
    write(G.hpetTimer(LEVEL_TIMER), 8, (LEVEL_LINE << H.INT_ROUTE_SHIFT) | H.INT_ENB_CNF | H.INT_TYPE_CNF);
    for (const [pin, entry] of [
      [LEVEL_LINE, LEVEL_VECTOR | I.TRIGGER_LEVEL],
      ...Array.from({ length: MAX_VCPUS }, (_, vcpu) => [ONE_SHOT_LINE + vcpu, 0x50 + vcpu]),
    ]) {
      write(G.IOAPIC_SELECT, 4, G.redirectionEntry(pin));
      write(G.IOAPIC_WINDOW, 4, entry);
    }
    write(G.HPET_CONFIGURATION, 8, H.ENABLE_CNF);
  }

  /** Makes timer 0 the periodic clock of a counter read storm. */
  static prepareStorm(machine: Machine, value: U64): void {
    const write = (address: number, data: number) => machine.write(address, 8, value.setNumber(data));
    write(G.hpetTimer(0), (ONE_SHOT_LINE << H.INT_ROUTE_SHIFT) | H.INT_ENB_CNF | H.TYPE_CNF | H.VAL_SET_CNF);
    write(G.hpetComparator(0), STORM_TICK);
    write(G.hpetComparator(0), STORM_TICK);
  }

  /** One access; returns whether it read the main counter. */
  access(): boolean {
    const { machine, vcpu } = this;
    const kind = this.#random.below(20);
    if (kind < 14) return this.readCounter();
    if (kind < 15) machine.read(G.HPET_STATUS, 8);
    else if (kind < 16) machine.read(G.hpetTimer(vcpu), 8);
    else if (kind < 18) this.#arm(vcpu, 5_000 + this.#random.below(20_000));
    else if (kind < 19) {
      machine.write(G.HPET_STATUS, 8, this.value.set(1 << LEVEL_TIMER, 0));
      machine.endOfInterrupt(LEVEL_VECTOR);
    } else this.#arm(LEVEL_TIMER, 10_000 + this.#random.below(20_000));
    return false;
  }

  readCounter(): true {
    this.machine.read(G.HPET_COUNTER, 8);
    return true;
  }

  /** Windows whose clock is the HPET reads the low half of the main counter, over and over, on every vCPU. */
  stormRead(): true {
    this.machine.read(G.HPET_COUNTER, 4);
    return true;
  }

  /** Sets a comparator so many ticks of 10 ns ahead of the counter. */
  #arm(number: number, ticks: number): void {
    const { machine, value } = this;
    machine.read(G.HPET_COUNTER, 8);
    machine.write(G.hpetComparator(number), 8, value.setNumber(machine.value.toNumber() + ticks));
  }
}
