import type { DueWork } from '../../core/machine/due-work.js';

/** Control work that a machine waits for. */
interface Control {
  readonly work: number;
  readonly argument: number;
  readonly done: () => void;
}

/** Completed control work: reported once the events before position `behind` are delivered. */
interface Finished {
  readonly behind: number;
  readonly done: () => void;
}

/** Control work on its way to the main loop and back: in order, and one at a time per machine. */
export class ControlQueue {
  /** Per machine, by slot; the first is in flight. */
  readonly #queues = new Map<number, Control[]>();
  #finished: Finished[] = [];

  constructor(
    /** Shows the machine of a slot. */
    readonly due: (slot: number) => DueWork,
  ) {}

  /** Calls `done` when the work is done and all events that it caused are delivered. */
  request(slot: number, work: number, argument: number, done: () => void): void {
    const queue = this.#queues.get(slot) ?? [];
    this.#queues.set(slot, queue);
    queue.push({ work, argument, done });
    if (queue.length === 1) this.#begin(slot, queue[0]);
  }

  #begin(slot: number, { work, argument }: Control): void {
    this.due(slot).requestControl(work, argument);
  }

  /** Answers what a machine still waits for, although it is not done. */
  cancel(slot: number): void {
    for (const { done } of this.#queues.get(slot) ?? []) done();
    this.#queues.delete(slot);
  }

  get hasWork(): boolean {
    if (this.#finished.length > 0) return true;
    for (const slot of this.#queues.keys()) if (this.due(slot).control.isDone) return true;
    return false;
  }

  /** Notes which work is done, and lets the machine's next begin. `tail` tells the end of the event ring. */
  note(tail: () => number): void {
    for (const [slot, queue] of this.#queues) {
      if (!this.due(slot).control.takeDone()) continue;
      const { done } = queue.shift() as Control;
      // Read after the work was seen to be complete: behind every event that it emitted.
      this.#finished.push({ behind: tail(), done });
      if (queue.length > 0) this.#begin(slot, queue[0]);
      else this.#queues.delete(slot);
    }
  }

  /** Reports the work whose events are delivered, up to position `drained`; returns how much it was. */
  finish(drained: number): number {
    const ready = this.#finished.filter(({ behind }) => ((behind - drained) | 0) <= 0);
    if (ready.length === 0) return 0;
    this.#finished = this.#finished.filter((control) => !ready.includes(control));
    for (const { done } of ready) done();
    return ready.length;
  }
}
