import type { Memory } from '../../core/memory/memory.js';
import type { SharedState } from './shared-state.js';

/** A read-only view of a state, for production code that runs outside any thread. Writes are discarded. */
export class StateView implements Memory {
  base = 0;

  constructor(
    readonly state: SharedState,
    readonly time: number,
  ) {}

  get(address: number): number {
    return this.state.get(this.base + address);
  }
  getTime(address: number): number {
    return this.state.getTime(this.base + address);
  }
  load(address: number): number {
    return this.state.get(this.base + address);
  }
  hostTime(): number {
    return this.time;
  }
  select(base: number): void {
    this.base = base;
  }
  set(): void {}
  setTime(): void {}
  store(): void {}
  spin(): void {}
  notify(): void {}
  exchange(address: number): number {
    return this.load(address);
  }
  compareExchange(address: number): number {
    return this.load(address);
  }
  add(address: number): number {
    return this.load(address);
  }
  or(address: number): number {
    return this.load(address);
  }
  wait(): void {
    throw new Error('a wait in a read-only state view never ends');
  }
}
