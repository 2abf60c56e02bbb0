import type { ServerMessage } from '../../protocol/server-message.js';

/** The place of one request in the order of replies. */
export interface Turn {
  done: boolean;
  /** Undefined: nothing is to be sent. */
  message: ServerMessage | undefined;
  /** Executed when everything before it is answered; returns the reply. */
  action: (() => ServerMessage | undefined) | undefined;
}

/** The requests of one client in the order in which they came: each is answered after all before it. */
export class ReplyQueue {
  #turns: Turn[] = [];
  #first = 0;
  /** Number of the last request that was answered. */
  #answered: number;

  constructor(
    readonly send: (message: ServerMessage, request: number) => void,
    /** Number of the request before the first. */
    before = 0,
  ) {
    this.#answered = before;
  }

  /** Requests that are not answered yet. */
  get length(): number {
    return this.#turns.length - this.#first;
  }

  /** Number of the last request that was answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Number of the last request that came. */
  get accepted(): number {
    return this.#answered + this.length;
  }

  /** A request that is executed elsewhere; `finish` completes it. */
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

  /** A request that the connection answers itself, in its turn. */
  perform(action: () => ServerMessage | undefined): void {
    this.#turns.push({ done: true, message: undefined, action });
    this.#flush();
  }

  #flush(): void {
    while (this.#first < this.#turns.length && this.#turns[this.#first].done) {
      const turn = this.#turns[this.#first++];
      this.#answered++;
      const message = turn.action ? turn.action() : turn.message;
      if (message) this.send(message, this.#answered);
    }
    if (this.#first === this.#turns.length || this.#first >= 1024) {
      this.#turns = this.#turns.slice(this.#first);
      this.#first = 0;
    }
  }
}
