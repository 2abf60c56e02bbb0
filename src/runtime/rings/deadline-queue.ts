/**
 * Machines by the host time of their earliest deadline: a binary heap that knows where each machine stands in it, so
 * that a deadline moves in O(log n) when its machine arms an earlier timer.
 */
export class DeadlineQueue {
  readonly #heap: number[] = [];
  readonly #position = new Map<number, number>();
  readonly #time = new Map<number, number>();

  /** The earliest time, or Infinity. */
  get earliest(): number {
    return this.#heap.length ? this.#timeOf(this.#heap[0]) : Number.POSITIVE_INFINITY;
  }

  /** The machine with the earliest time. */
  get first(): number {
    return this.#heap[0];
  }

  /** Sets a machine's time; Infinity takes it out. */
  set(machine: number, time: number): void {
    const position = this.#position.get(machine);
    if (time === Number.POSITIVE_INFINITY) {
      if (position !== undefined) this.#remove(machine, position);
      return;
    }
    this.#time.set(machine, time);
    if (position === undefined) {
      this.#heap.push(machine);
      this.#position.set(machine, this.#heap.length - 1);
      this.#rise(this.#heap.length - 1);
    } else {
      this.#sink(this.#rise(position));
    }
  }

  #timeOf(machine: number): number {
    return this.#time.get(machine) as number;
  }

  #remove(machine: number, position: number): void {
    const last = this.#heap.pop() as number;
    this.#position.delete(machine);
    this.#time.delete(machine);
    if (last === machine) return;
    this.#put(position, last);
    this.#sink(this.#rise(position));
  }

  #put(position: number, machine: number): void {
    this.#heap[position] = machine;
    this.#position.set(machine, position);
  }

  #rise(from: number): number {
    const machine = this.#heap[from];
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#timeOf(this.#heap[parent]) <= this.#timeOf(machine)) break;
      this.#put(position, this.#heap[parent]);
      position = parent;
    }
    this.#put(position, machine);
    return position;
  }

  #sink(from: number): void {
    const machine = this.#heap[from];
    let position = from;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#timeOf(this.#heap[child + 1]) < this.#timeOf(this.#heap[child]))
        child++;
      if (this.#timeOf(this.#heap[child]) >= this.#timeOf(machine)) break;
      this.#put(position, this.#heap[child]);
      position = child;
    }
    this.#put(position, machine);
  }
}
