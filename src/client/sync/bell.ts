/** Word that increments on each arrival and each ring. */
const CHANGES = 0;
/** Word that increments on each ring. */
const RINGS = 1;

/** A vCPU as a bell sees it. */
export interface Waiting {
  readonly options: { readonly bell?: Bell };
  /** Events that `onEvent` was called with. */
  readonly delivered: number;
  poll(): void;
}

/**
 * Lets one thread wait for several vCPUs, lets another thread wake it, and lets an emulator with an event loop wait without
 * blocking. It is in shared memory: another thread makes its own object with the same `buffer`.
 *
 * ```js
 * const bell = new Bell();
 * const vcpus = [0, 1].map((vcpu) => SyncVcpu.connect(url, 'default', vcpu, { bell, onEvent }));
 * bell.waitForEvent(vcpus, 1000);
 * ```
 */
export class Bell {
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** Rings that ended a wait of this object. */
  #rings: number;

  constructor(readonly buffer = new SharedArrayBuffer(8)) {
    this.#words = new Int32Array(buffer);
    this.#rings = Atomics.load(this.#words, RINGS);
  }

  /** Ends the wait of another thread; if none waits now, the next wait. */
  ring(): void {
    Atomics.add(this.#words, RINGS, 1);
    this.arrived();
  }

  /** Something arrived for a vCPU. */
  arrived(): void {
    Atomics.add(this.#words, CHANGES, 1);
    Atomics.notify(this.#words, CHANGES);
  }

  /**
   * Sleeps until an event arrives for one of the vCPUs, and calls their `onEvent`; false if none arrives within `timeoutMs`, or
   * before the bell rings. All were connected with this bell. Throws as `SyncVcpu.poll`.
   */
  waitForEvent(vcpus: readonly Waiting[], timeoutMs: number): boolean {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const seen = Atomics.load(this.#words, CHANGES);
      const found = this.#poll(vcpus);
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#words, CHANGES, seen, left);
    }
  }

  /** The same for a thread with an event loop, which goes on meanwhile. */
  async whenEvent(vcpus: readonly Waiting[], timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    // A wait for shared memory keeps no thread alive.
    const alive = setTimeout(() => {}, timeoutMs);
    try {
      for (;;) {
        const seen = Atomics.load(this.#words, CHANGES);
        const found = this.#poll(vcpus);
        if (found !== undefined) return found;
        const left = end - performance.now();
        if (left <= 0) return false;
        const { async, value } = Atomics.waitAsync(this.#words, CHANGES, seen, left);
        if (async) await value;
      }
    } finally {
      clearTimeout(alive);
    }
  }

  /** Whether there was an event; undefined: none, and no ring. */
  #poll(vcpus: readonly Waiting[]): boolean | undefined {
    let isDelivered = false;
    for (const vcpu of vcpus) {
      if (vcpu.options.bell !== this) throw new TypeError('The vCPU has another bell; connect it with this one.');
      const before = vcpu.delivered;
      vcpu.poll();
      if (vcpu.delivered !== before) isDelivered = true;
    }
    if (isDelivered) return true;
    const rings = Atomics.load(this.#words, RINGS);
    if (rings === this.#rings) return undefined;
    this.#rings = rings;
    return false;
  }
}
