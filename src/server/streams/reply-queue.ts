import type { ServerMessage } from '../../protocol/server-message.js';

/** The place of one request in the order of replies. */
export interface Turn {
  done: boolean;
  /** Undefined: nothing is to be sent. */
  message: ServerMessage | undefined;
  /** Executed when everything before it is answered; returns the reply. */
  action: (() => ServerMessage | undefined) | undefined;
  /** That of the next request. */
  next: Turn | undefined;
}

/** The requests of one client in the order in which they came: each is answered after all before it. */
export class ReplyQueue {
  #first: Turn | undefined;
  #last: Turn | undefined;
  #length = 0;
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
    return this.#length;
  }

  /** Number of the last request that was answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Number of the last request that came. */
  get accepted(): number {
    return this.#answered + this.#length;
  }

  /** A request that is executed elsewhere; `finish` completes it. */
  begin(): Turn {
    return this.#add(false, undefined);
  }

  finish(turn: Turn, message: ServerMessage | undefined): void {
    turn.done = true;
    turn.message = message;
    this.#flush();
  }

  /** A request that the connection answers itself, in its turn. */
  perform(action: () => ServerMessage | undefined): void {
    this.#add(true, action);
    this.#flush();
  }

  #add(done: boolean, action: Turn['action']): Turn {
    const turn: Turn = { done, message: undefined, action, next: undefined };
    if (this.#last) this.#last.next = turn;
    else this.#first = turn;
    this.#last = turn;
    this.#length++;
    return turn;
  }

  #flush(): void {
    while (this.#first?.done) {
      const turn = this.#first;
      this.#first = turn.next;
      if (!turn.next) this.#last = undefined;
      this.#length--;
      this.#answered++;
      const message = turn.action ? turn.action() : turn.message;
      if (message) this.send(message, this.#answered);
    }
  }
}
