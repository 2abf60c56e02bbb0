/** What became of the interrupts of a machine. */
export interface Balance {
  /** Messages for the vCPUs of this load that the machine's IRQ stream told of. */
  readonly told: number;
  readonly received: number;
  /** Told and never received, or due and never told. */
  readonly lost: number;
  /** Received twice, or with nothing that caused it. */
  readonly doubled: number;
  /** Events that a `gap` left out, because this process read too slowly. */
  readonly skipped: number;
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

/**
 * Every interrupt is entered twice, under its sequence number: as the machine's IRQ stream tells of it, and as a vCPU
 * receives it on its own connection. What a workload knows to be due, and what has no cause, it enters by vCPU.
 */
export class Ledger {
  /** Entered on one side only so far: the vCPU, by sequence number. */
  readonly #told = new Map<number, number>();
  readonly #received = new Map<number, number>();
  /** Last sequence number received, by vCPU. */
  readonly #last = new Map<number, number>();
  /** In words, by vCPU. */
  readonly #missing = new Map<number, string[]>();
  readonly #untold: { readonly from: number; readonly to: number }[] = [];
  readonly #examples: string[] = [];
  #toldCount = 0;
  #receivedCount = 0;
  #lost = 0;
  #doubled = 0;
  #skipped = 0;

  /** The stream tells of a message to a vCPU. True if that has received it already. */
  told(sequence: number, vcpu: number): boolean {
    this.#toldCount++;
    if (this.#received.delete(sequence)) return true;
    this.#told.set(sequence, vcpu);
    return false;
  }

  /** A vCPU receives a message. False if it had it before. */
  received(sequence: number, vcpu: number): boolean {
    this.#receivedCount++;
    if (sequence <= (this.#last.get(vcpu) ?? 0)) {
      this.#double(`event ${sequence} came to vCPU ${vcpu} twice`);
      return false;
    }
    this.#last.set(vcpu, sequence);
    if (!this.#told.delete(sequence)) this.#received.set(sequence, vcpu);
    return true;
  }

  /** The stream left out these events. */
  streamGap(from: number, to: number): void {
    this.#skipped += to - from + 1;
    this.#untold.push({ from, to });
  }

  /** A vCPU's connection left out these events. Those of them that were for the vCPU show as lost. */
  vcpuGap(from: number, to: number): void {
    this.#skipped += to - from + 1;
  }

  /** An interrupt for a vCPU was due, and was neither told nor received. */
  missing(vcpu: number, what: string): void {
    this.#missingOf(vcpu).push(what);
  }

  /** An interrupt for a vCPU came that nothing had caused; if one was missing before, that was not lost but late. */
  surplus(vcpu: number, what: string): void {
    if (this.#missingOf(vcpu).shift() === undefined) this.#double(what);
  }

  #missingOf(vcpu: number): string[] {
    const missing = this.#missing.get(vcpu) ?? [];
    this.#missing.set(vcpu, missing);
    return missing;
  }

  /** So far: what was told and has not arrived may be under way. */
  get current(): Pick<Balance, 'received' | 'lost' | 'doubled'> {
    const lost = [...this.#missing.values()].reduce((sum, { length }) => sum + length, 0);
    return { received: this.#receivedCount, lost, doubled: this.#doubled };
  }

  /** After everything has arrived that was sent. */
  balance(): Balance {
    for (const what of [...this.#missing.values()].flat()) this.#lose(what);
    for (const [sequence, vcpu] of this.#told) this.#lose(`event ${sequence} never reached vCPU ${vcpu}`);
    for (const [sequence, vcpu] of this.#received) {
      const isUntold = this.#untold.some(({ from, to }) => from <= sequence && sequence <= to);
      if (!isUntold) this.#double(`vCPU ${vcpu} received event ${sequence}, of which the IRQ stream did not tell`);
    }
    this.#missing.clear();
    this.#told.clear();
    this.#received.clear();
    return {
      told: this.#toldCount,
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
