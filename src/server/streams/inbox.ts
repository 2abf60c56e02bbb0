import type { TurnBudget } from '../flow/turn-budget.js';

interface Frame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** Handles a message: the bytes from `from` to before `end`. */
type Handle = (data: Buffer, isBinary: boolean, from: number, end: number) => void;

/** Frames of one socket, which are handled in order: in one turn as many as the budget of the machine allows. */
export class Inbox {
  readonly #frames: Frame[] = [];
  #isHeld = false;

  constructor(
    readonly budget: TurnBudget,
    readonly handle: Handle,
    /** Called after frames that waited were handled. */
    readonly onChange: () => void,
  ) {}

  /** Whether frames wait: no more should be read. */
  get isWaiting(): boolean {
    return this.#frames.length > 0;
  }

  push(data: Buffer, isBinary: boolean, from: number, end: number): void {
    const { budget } = this;
    if (!this.#isHeld && !this.isWaiting && !budget.isBusy && budget.take(1) > 0) {
      this.handle(data, isBinary, from, end);
      return;
    }
    this.#frames.push({ data: data.subarray(from, end), isBinary });
    if (!this.#isHeld && this.#frames.length === 1) this.#later();
  }

  /** Lets frames wait until `release`: the last one that was handled is not complete. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (this.isWaiting) this.#later();
  }

  #later(): void {
    this.budget.later(() => this.#handleWaiting());
  }

  #handleWaiting(): void {
    let handled = 0;
    for (; handled < this.#frames.length && !this.#isHeld && this.budget.take(1) > 0; handled++) {
      const { data, isBinary } = this.#frames[handled];
      this.handle(data, isBinary, 0, data.length);
    }
    this.#frames.splice(0, handled);
    if (this.isWaiting && !this.#isHeld) this.#later();
    this.onChange();
  }
}
