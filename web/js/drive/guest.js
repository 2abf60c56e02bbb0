// @ts-check
const HPET = 0xfed00000;
const IOAPIC = 0xfec00000;
const GENERAL_CONFIGURATION = HPET + 0x10;
const INTERRUPT_STATUS = HPET + 0x20;
const MAIN_COUNTER = HPET + 0xf0;
const HPET_ON = 1n;

// Timer configuration
const LEVEL = 1 << 1;
const ENABLE = 1 << 2;
const PERIODIC = 1 << 3;
const VALUE_SET = 1 << 6;
const route = (/** @type {number} */ gsi) => gsi << 9;

const MASKED = 1 << 16;
const TICKS_PER_MS = 100_000n;

/** Timer 0 is for writes that move a line; timers 1 and 2 tick. All are routed to lines that every machine has. */
const LINE_TIMER = { timer: 0, gsi: 16, vector: 0x50 };
const TICKERS = [
  { timer: 1, gsi: 17, vector: 0x51 },
  { timer: 2, gsi: 18, vector: 0x52 },
];
const IDLE = BigInt(route(LINE_TIMER.gsi) | LEVEL | PERIODIC);
const RAISED = IDLE | BigInt(ENABLE);
const READS = 6;

/** @typedef {{ reads: boolean, ticks: boolean, lines: boolean, hz: number }} Work */
/** @typedef {import('/page/modules/client/index.js').Vcpu} Vcpu */

/** One vCPU that behaves like a guest under load: it reads registers, moves a line, takes ticks. */
export class Guest {
  /** @type {Vcpu} */
  #vcpu = /** @type {any} */ (undefined);
  #accesses = 0;
  #interrupts = 0;
  /** @type {number[]} */
  #latencies = [];

  /**
   * @param {number} number
   * @param {number} first the vCPU that sets the devices up
   * @param {boolean} manual whether the machine's clock has to be stepped
   * @param {Work} work
   */
  constructor(number, first, manual, work) {
    this.number = number;
    this.steps = manual && number === first;
    this.work = work;
    this.batch = this.#accessesOfTurn();
  }

  /** @param {Vcpu} vcpu */
  attach(vcpu) {
    this.#vcpu = vcpu;
  }

  detach() {
    this.#vcpu?.close();
  }

  /** @param {{ type: string }} event */
  interrupted({ type }) {
    if (type === 'interrupt') this.#interrupts++;
  }

  /** What was counted since the last call. */
  take() {
    const taken = { accesses: this.#accesses, interrupts: this.#interrupts, latencies: this.#latencies };
    this.#accesses = 0;
    this.#interrupts = 0;
    this.#latencies = [];
    return taken;
  }

  /** Some accesses in one frame, as a guest's driver would make them in a row. */
  async turn() {
    const begun = performance.now();
    if (this.batch.length > 0) await this.#vcpu.batch(this.batch);
    else await this.#vcpu.sync();
    if (this.steps) await this.#vcpu.step(1_000_000);
    this.#latencies.push(performance.now() - begun);
    this.#accesses += this.batch.length;
  }

  #accessesOfTurn() {
    const configuration = timer(LINE_TIMER.timer);
    const batch = [];
    if (this.work.reads) {
      for (let read = 0; read < READS / 2; read++) {
        batch.push({ address: MAIN_COUNTER, size: 8 }, { address: INTERRUPT_STATUS, size: 8 });
      }
    }
    if (this.work.lines) {
      batch.push(
        { address: configuration, size: 8, value: RAISED },
        { address: configuration, size: 8, value: IDLE },
        { address: configuration, size: 8, value: RAISED },
        { address: configuration, size: 8, value: IDLE },
      );
    }
    return batch;
  }

  /** Programs timers and redirection entries for all vCPUs. @param {number[]} vcpus */
  async setUp(vcpus) {
    await this.#vcpu.write(GENERAL_CONFIGURATION, 8, HPET_ON);
    if (this.work.lines) {
      await this.#entry(LINE_TIMER, vcpus[0]);
      await this.#periodic(LINE_TIMER.timer, IDLE);
    }
    if (!this.work.ticks) return;
    for (const [index, ticker] of TICKERS.entries()) {
      await this.#entry(ticker, vcpus[index % vcpus.length]);
      await this.#periodic(ticker.timer, BigInt(ENABLE | PERIODIC | route(ticker.gsi)));
    }
  }

  /** @param {number} number @param {bigint} configuration */
  async #periodic(number, configuration) {
    const period = (1000n * TICKS_PER_MS) / BigInt(this.work.hz);
    // A first match that has passed when it is written comes only when the counter wraps: it is tried with more time.
    for (let ahead = TICKS_PER_MS; ; ahead *= 4n) {
      const first = /** @type {bigint} */ (await this.#vcpu.read(MAIN_COUNTER, 8)) + ahead;
      const [, , , now] = await this.#vcpu.batch([
        { address: timer(number), size: 8, value: configuration | BigInt(VALUE_SET) },
        { address: timer(number) + 8, size: 8, value: first },
        { address: timer(number) + 8, size: 8, value: period },
        { address: MAIN_COUNTER, size: 8 },
      ]);
      if (/** @type {bigint} */ (now) < first) return;
    }
  }

  /** Edge-triggered, fixed, physical destination. @param {{ gsi: number, vector: number }} ticker @param {number} destination */
  async #entry({ gsi, vector }, destination, bits = 0) {
    const vcpu = this.#vcpu;
    await vcpu.batch([
      { address: IOAPIC, size: 4, value: 0x11 + 2 * gsi },
      { address: IOAPIC + 0x10, size: 4, value: destination * 2 ** 24 },
      { address: IOAPIC, size: 4, value: 0x10 + 2 * gsi },
      { address: IOAPIC + 0x10, size: 4, value: vector | bits },
    ]);
  }

  /** Leaves the timers off and their pins masked; the counter goes on. */
  async tearDown() {
    for (const ticker of [LINE_TIMER, ...TICKERS]) {
      await this.#vcpu.write(timer(ticker.timer), 8, 0n);
      await this.#entry(ticker, 0, MASKED);
    }
  }
}

/** Address of a timer's configuration register. @param {number} number */
function timer(number) {
  return HPET + 0x100 + 0x20 * number;
}
