/** One request that is to be answered in its turn. */
export interface Turn {
  done: boolean;
  /** Undefined: nothing is to be sent. */
  text: string | undefined;
  /** Carried out when everything before is done; returns the reply. */
  action: (() => string | undefined) | undefined;
}

/** The requests of one connection in the order in which they came: each is answered after all before it. */
export class ReplyQueue {
  #turns: Turn[] = [];
  #first = 0;

  constructor(readonly send: (text: string) => void) {}

  /** Requests that are not answered yet. */
  get length(): number {
    return this.#turns.length - this.#first;
  }

  /** A request that is under way elsewhere; `finish` ends it. */
  begin(): Turn {
    const turn: Turn = { done: false, text: undefined, action: undefined };
    this.#turns.push(turn);
    return turn;
  }

  finish(turn: Turn, text: string | undefined): void {
    turn.done = true;
    turn.text = text;
    this.#flush();
  }

  /** A request that needs nobody else, but its turn. */
  perform(action: () => string | undefined): void {
    this.#turns.push({ done: true, text: undefined, action });
    this.#flush();
  }

  #flush(): void {
    while (this.#first < this.#turns.length && this.#turns[this.#first].done) {
      const turn = this.#turns[this.#first++];
      const text = turn.action ? turn.action() : turn.text;
      if (text !== undefined) this.send(text);
    }
    if (this.#first === this.#turns.length || this.#first >= 1024) {
      this.#turns = this.#turns.slice(this.#first);
      this.#first = 0;
    }
  }
}
