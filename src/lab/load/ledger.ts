/** Counts of a machine's interrupts: reported, received, lost and doubled. */
export interface Balance {
  /** Messages for the vCPUs of this load in the machine's IRQ stream. */
  readonly reported: number;
  readonly received: number;
  /** Reported and never received, or due and never reported. */
  readonly lost: number;
  /** Received twice, or received without a cause. */
  readonly doubled: number;
  /** Events that a `gap` skipped, because this process read too slowly. */
  readonly skipped: number;
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

/**
 * Every interrupt has two entries under its sequence number: the machine's IRQ stream reports it, and a vCPU receives it
 * on its own connection. A workload also enters, by vCPU, interrupts that are missing and interrupts without a cause.
 */
export class Ledger {
  /** Entered on one side only so far: vCPU by sequence number. */
  readonly #reported = new Map<number, number>();
  readonly #received = new Map<number, number>();
  /** Last sequence number received, by vCPU. */
  readonly #last = new Map<number, number>();
  /** Descriptions by vCPU. */
  readonly #missing = new Map<number, string[]>();
  readonly #unreported: { readonly from: number; readonly to: number }[] = [];
  readonly #examples: string[] = [];
  #reportedCount = 0;
  #receivedCount = 0;
  #lost = 0;
  #doubled = 0;
  #skipped = 0;

  /** The stream reports a message to a vCPU. True if the vCPU has received it already. */
  reported(sequence: number, vcpu: number): boolean {
    this.#reportedCount++;
    if (this.#received.delete(sequence)) return true;
    this.#reported.set(sequence, vcpu);
    return false;
  }

  /** A vCPU receives a message. False if it has received that message before. */
  received(sequence: number, vcpu: number): boolean {
    this.#receivedCount++;
    if (sequence <= (this.#last.get(vcpu) ?? 0)) {
      this.#double(`event ${sequence} reached vCPU ${vcpu} twice`);
      return false;
    }
    this.#last.set(vcpu, sequence);
    if (!this.#reported.delete(sequence)) this.#received.set(sequence, vcpu);
    return true;
  }

  /** The stream skipped these events. */
  streamGap(from: number, to: number): void {
    this.#skipped += to - from + 1;
    this.#unreported.push({ from, to });
  }

  /** A vCPU's connection skipped these events. Those that were for the vCPU count as lost. */
  vcpuGap(from: number, to: number): void {
    this.#skipped += to - from + 1;
  }

  /** An interrupt for a vCPU was due, and was neither reported nor received. */
  missing(vcpu: number, what: string): void {
    this.#missingOf(vcpu).push(what);
  }

  /** An interrupt for a vCPU arrived without a cause. If one was missing before, that one was late rather than lost. */
  surplus(vcpu: number, what: string): void {
    if (this.#missingOf(vcpu).shift() === undefined) this.#double(what);
  }

  #missingOf(vcpu: number): string[] {
    const missing = this.#missing.get(vcpu) ?? [];
    this.#missing.set(vcpu, missing);
    return missing;
  }

  /** Counts so far. A reported interrupt that has not arrived may still be in flight. */
  get current(): Pick<Balance, 'received' | 'lost' | 'doubled'> {
    const lost = [...this.#missing.values()].reduce((sum, { length }) => sum + length, 0);
    return { received: this.#receivedCount, lost, doubled: this.#doubled };
  }

  /** The final counts; call this after every sent message has arrived. */
  balance(): Balance {
    for (const what of [...this.#missing.values()].flat()) this.#lose(what);
    for (const [sequence, vcpu] of this.#reported) this.#lose(`event ${sequence} never reached vCPU ${vcpu}`);
    for (const [sequence, vcpu] of this.#received) {
      const isUnreported = this.#unreported.some(({ from, to }) => from <= sequence && sequence <= to);
      if (!isUnreported) this.#double(`vCPU ${vcpu} received event ${sequence}, which the IRQ stream did not report`);
    }
    this.#missing.clear();
    this.#reported.clear();
    this.#received.clear();
    return {
      reported: this.#reportedCount,
      received: this.#receivedCount,
      lost: this.#lost,
      doubled: this.#doubled,
      skipped: this.#skipped,
      examples: this.#examples,
    };
  }

  #lose(what: string): void {
    this.#lost++;
    this.#example(`lost: ${what}`);
  }

  #double(what: string): void {
    this.#doubled++;
    this.#example(`doubled: ${what}`);
  }

  #example(text: string): void {
    if (this.#examples.length < EXAMPLES) this.#examples.push(text);
  }
}
