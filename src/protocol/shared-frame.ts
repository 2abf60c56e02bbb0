import type { Frame } from './codec.js';
import type { Irq } from './server-message.js';

/** The frame of an event that goes to many, one after the other: it is made once. */
export class SharedFrame {
  #event: Irq | undefined;
  #frame: Frame = '';

  constructor(readonly encode: (event: Irq) => Frame) {}

  of(event: Irq): Frame {
    if (event !== this.#event) {
      this.#frame = this.encode(event);
      this.#event = event;
    }
    return this.#frame;
  }
}
