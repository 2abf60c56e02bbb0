import type { Frame } from './codec.js';
import type { Irq } from './server-message.js';

/** The frame of an event that goes to many, one after the other: it is made once. */
export class SharedFrame {
  #event: Irq | undefined;
  #frame: Frame = '';

  constructor(readonly encode: (event: Irq, epoch: string) => Frame) {}

  /** `epoch`: that of the event, for a form that shows it. */
  of(event: Irq, epoch = ''): Frame {
    if (event !== this.#event) {
      this.#frame = this.encode(event, epoch);
      this.#event = event;
    }
    return this.#frame;
  }
}
