/** Runs asynchronous work of the same key one after the other, in the order of the calls. */
export class SerialQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Settles as `work` does. Work that fails does not stop the work behind it. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const done = result
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === done) this.#last.delete(key);
      });
    this.#last.set(key, done);
    return result;
  }
}
