/** Items for one reader, who takes them with `for await`; they wait until somebody does. */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  #items: T[] = [];
  #first = 0;
  #reader: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | undefined;
  #end: { error?: unknown } | undefined;

  /** Items that wait. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    if (this.#end) return;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) reader.resolve({ value: item, done: false });
    else this.#items.push(item);
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

  next(): Promise<IteratorResult<T>> {
    if (this.#first < this.#items.length) {
      const value = this.#items[this.#first++];
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

  return(): Promise<IteratorResult<T>> {
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
