import type { Gap, LineLevels } from '../protocol/server-message.js';

/** Events that wait for a reader, if no other number is given. */
export const MOST_EVENTS = 65_536;

type Numbered = { readonly type: string; readonly sequence: number } | Gap;

/**
 * Events for one reader, who takes them with `for await`; they wait until somebody does. Those beyond the limit are not
 * kept: a gap stands in their place, as where the server keeps no more.
 */
export class EventQueue<T extends Numbered> implements AsyncIterableIterator<T | Gap> {
  #items: (T | Gap)[] = [];
  #first = 0;
  /** The gap at the end, which grows. */
  #gap: { -readonly [Key in keyof Gap]: Gap[Key] } | undefined;
  #reader: { resolve: (result: IteratorResult<T | Gap>) => void; reject: (error: unknown) => void } | undefined;
  #end: { error?: unknown } | undefined;

  constructor(
    readonly limit = MOST_EVENTS,
    /** Called with each item as the reader takes it. */
    readonly taken: (item: T | Gap) => void = () => {},
  ) {}

  /** Items that wait. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  /** `lines` and `intr`: their levels right after it, where they are known. What replaced the state is never left out. */
  push(item: T, lines?: LineLevels, intr?: number): void {
    if (this.#end) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) {
      reader.resolve({ value: item, done: false });
      this.taken(item);
    } else if (this.length < this.limit || item.type === 'restored') {
      this.#items.push(item);
      this.#gap = undefined;
    } else this.#leaveOut(item, lines, intr);
  }

  #leaveOut(item: T, lines: LineLevels | undefined, intr: number | undefined): void {
    const [from, to] = 'sequence' in item ? [item.sequence, item.sequence] : [item.from, item.to];
    if (!this.#gap) {
      this.#gap = { type: 'gap', from, to };
      this.#items.push(this.#gap);
    }
    this.#gap.to = to;
    if (lines) this.#gap.lines = lines;
    if (intr !== undefined) this.#gap.intr = intr;
  }

  /** No more comes; readers see the error, if there is one, behind the last item. */
  end(error?: unknown): void {
    if (this.#end) return;
    this.#end = { error };
    this.#reader?.[error === undefined ? 'resolve' : 'reject'](
      (error === undefined ? { value: undefined, done: true } : error) as never,
    );
    this.#reader = undefined;
  }

  next(): Promise<IteratorResult<T | Gap>> {
    if (this.#first < this.#items.length) {
      const value = this.#items[this.#first++];
      if (value === this.#gap) this.#gap = undefined;
      this.taken(value);
      if (this.#first >= 1024) {
        this.#items = this.#items.slice(this.#first);
        this.#first = 0;
      }
      return Promise.resolve({ value, done: false });
    }
    if (this.#end) {
      const { error } = this.#end;
      this.#end = {};
      return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<T | Gap>> {
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
