import { INTERRUPT_STATUS, MAIN_COUNTER, TIMER_BLOCKS } from '../../src/core/devices/hpet/registers.js';
import { IOREDTBL } from '../../src/core/devices/ioapic/registers.js';
import type { Design } from '../../src/core/locking/axes.js';
import { CONTROL_END_STEPS } from '../../src/core/machine/control-path.js';
import { unpackEvent } from '../../src/core/machine/events.js';
import type { MachineEvent } from '../../src/runtime/events/event-ring.js';
import { LiveMachine } from './live-machine.js';

const TIMER = 4;
const LINE = 20;
const REGISTERS = TIMER_BLOCKS + 0x20 * TIMER;
const HOLD_NS = 200_000;
const HOLD_TICKS = HOLD_NS / 10;

/** Every change of the timer's line as it was reported, beside the number and level of the newest decision at that moment. */
class LineLog {
  /**
   * Changes that were reported after one of a newer decision, or against the newest decision. A level that rose and fell
   * within one deferral is reported as two changes beside the same decision: the second puts the first right.
   */
  get inverted(): number {
    return this.#inverted + (this.#against === undefined ? 0 : 1);
  }

  #inverted = 0;
  /** The decision that the last change was against. */
  #against: number | undefined;
  length = 0;
  #newest = 0;

  take(event: MachineEvent): void {
    const content = unpackEvent(event);
    if (content.kind !== 'line' || event.cause !== TIMER || content.decision === 0) return;
    const { level, decision } = content;
    const number = decision >> 1;
    if (this.#against !== undefined && this.#against !== number) this.#inverted++;
    this.#against = undefined;
    if (number < this.#newest) this.#inverted++;
    else if ((decision & 1) !== level) this.#against = number;
    this.#newest = Math.max(this.#newest, number);
    this.length++;
  }
}

/**
 * One level-triggered timer, alone on its line, is acknowledged by a vCPU while its next match comes due, and the main
 * loop holds the BQL half of the time for other work. Where the main loop then runs the callback with the BQL still
 * held, an acknowledgement that waits for the BQL in its middle is overtaken.
 */
export class AcknowledgeRace {
  readonly log = new LineLog();
  /** Rounds after which the line differed from the status bit, with no request in flight that could still change it. */
  wrong = 0;
  rounds = 0;

  private constructor(readonly machine: LiveMachine) {}

  static async start(design: Design): Promise<AcknowledgeRace> {
    let race: AcknowledgeRace | undefined;
    const machine = await LiveMachine.start(design, 1, (event) => race?.log.take(event));
    race = new AcknowledgeRace(machine);
    await machine.writeIoapic(0, IOREDTBL + 2 * LINE, 0x8000 | 0x44);
    await machine.writeHpet(0, REGISTERS, (LINE << 9) | (1 << 2) | (1 << 1));
    await machine.writeHpet(0, 0x10, 1);
    machine.loadBql({ duty: 500, hold: HOLD_NS, burn: false });
    return race;
  }

  /** Raises the line, lets match and acknowledgement meet, and looks at what came of it. */
  async round(): Promise<void> {
    const { machine } = this;
    await this.#passed(await this.#arm(50));
    // At any time between two holds, and with the match at any time in the one that comes next.
    for (let reads = this.rounds % 7; reads > 0; reads--) await machine.readHpet(0, MAIN_COUNTER);
    await this.#passed(await this.#arm((this.rounds % 16) * (HOLD_TICKS / 8), this.#acknowledge));
    if (!(await this.#isLineRight())) this.wrong++;
    await this.#acknowledge();
    this.rounds++;
  }

  /** Compares between two equal reads of the status: a callback left for a vCPU thread may still change both. */
  async #isLineRight(): Promise<boolean> {
    const { machine } = this;
    for (;;) {
      const status = await machine.readHpet(0, INTERRUPT_STATUS);
      const sources = machine.sources(LINE);
      if ((await machine.readHpet(0, INTERRUPT_STATUS)) === status) return sources === (status & (1 << TIMER));
    }
  }

  /** Sets the comparator so many ticks ahead, and does something right after that; returns the comparator. */
  async #arm(ticks: number, then?: () => Promise<void>): Promise<number> {
    const match = (await this.machine.readHpet(0, MAIN_COUNTER)) + ticks;
    await Promise.all([this.machine.writeHpet(0, REGISTERS + 8, match), then?.()]);
    return match;
  }

  readonly #acknowledge = () => this.machine.writeHpet(0, INTERRUPT_STATUS, 1 << TIMER);

  /**
   * Resolves when the main loop has run all that was due at a value of the main counter. It answers control work after the
   * callbacks of the same visit; a mere round passes by a machine of which a hold has the BQL.
   */
  async #passed(match: number): Promise<void> {
    while ((await this.machine.readHpet(0, MAIN_COUNTER)) <= match);
    await this.machine.engine.slot(0).control(CONTROL_END_STEPS);
  }

  /** Repeats rounds until `enough`, or until time is up. */
  async run(milliseconds: number, enough: () => boolean): Promise<void> {
    const end = performance.now() + milliseconds;
    while (!enough() && performance.now() < end) await this.round();
  }

  close(): Promise<void> {
    return this.machine.close();
  }
}
