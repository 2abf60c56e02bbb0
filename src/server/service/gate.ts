/** The gate of a machine: counts who is under way, and keeps everyone out while somebody has to be alone in the machine. */
export class Gate {
  #underWay = 0;
  /** Requests to threads that are not answered yet. */
  #inside = 0;
  /** While the gate is closed: whoever waits for it to open. */
  #waiting: (() => void)[] | undefined;
  #empty: (() => void) | undefined;
  /** Whoever waits until nothing is under way. */
  #idle: (() => void)[] = [];

  /** Requests that are not answered yet, those that wait and those that control the machine included. */
  get underWay(): number {
    return this.#underWay;
  }

  get isClosed(): boolean {
    return this.#waiting !== undefined;
  }

  /** Something is under way until `end`. */
  begin(): void {
    this.#underWay++;
  }

  end(): void {
    this.#underWay--;
    if (this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  /** Calls `enter` at once, or when the gate opens. */
  pass(enter: () => void): void {
    if (this.#waiting) this.#waiting.push(enter);
    else enter();
  }

  /** A request has gone in, until `leave`. */
  enter(): void {
    this.#inside++;
  }

  leave(): void {
    this.#inside--;
    if (this.#inside === 0) this.#empty?.();
  }

  /** Resolves when the gate opens. Others may have waited for that as well: look at `isClosed` again before `close`. */
  opened(): Promise<void> {
    return new Promise((opened) => this.pass(opened));
  }

  /** Closes the gate, which is open, until `open`. */
  close(): void {
    this.#waiting = [];
    this.begin();
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#empty = undefined;
    for (const enter of waiting) enter();
    this.end();
  }

  /** Resolves when those who were inside when the gate was closed have left, or with `hang`, if they never will. */
  async emptied(hang: Promise<unknown>): Promise<void> {
    if (this.#inside === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    await Promise.race([empty, hang]);
  }

  /** Resolves when nothing is under way, or with `hang`. */
  async idle(hang: () => Promise<unknown>): Promise<void> {
    if (this.#underWay === 0) return;
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
    await Promise.race([idle, hang()]);
  }
}
