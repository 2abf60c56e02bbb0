import type { ServerMessage } from '../../protocol/server-message.js';

/** One request that is to be answered in its turn. */
export interface Turn {
  done: boolean;
  /** Undefined: nothing is to be sent. */
  message: ServerMessage | undefined;
  /** Carried out when everything before is done; returns the reply. */
  action: (() => ServerMessage | undefined) | undefined;
}

/** The requests of one connection in the order in which they came: each is answered after all before it. */
export class ReplyQueue {
  #turns: Turn[] = [];
  #first = 0;

  constructor(readonly send: (message: ServerMessage) => void) {}

  /** Requests that are not answered yet. */
  get length(): number {
    return this.#turns.length - this.#first;
  }

  /** A request that is under way elsewhere; `finish` ends it. */
  begin(): Turn {
    const turn: Turn = { done: false, message: undefined, action: undefined };
    this.#turns.push(turn);
    return turn;
  }

  finish(turn: Turn, message: ServerMessage | undefined): void {
    turn.done = true;
    turn.message = message;
    this.#flush();
  }

  /** A request that needs nobody else, but its turn. */
  perform(action: () => ServerMessage | undefined): void {
    this.#turns.push({ done: true, message: undefined, action });
    this.#flush();
  }

  #flush(): void {
    while (this.#first < this.#turns.length && this.#turns[this.#first].done) {
      const turn = this.#turns[this.#first++];
      const message = turn.action ? turn.action() : turn.message;
      if (message) this.send(message);
    }
    if (this.#first === this.#turns.length || this.#first >= 1024) {
      this.#turns = this.#turns.slice(this.#first);
      this.#first = 0;
    }
  }
}
