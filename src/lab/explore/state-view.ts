import type { Memory } from '../../core/memory/memory.js';
import type { SharedState } from './shared-state.js';

/** The memory of a state in which no thread runs, for production code that only looks. What it writes is forgotten. */
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
    throw new Error('nothing ever changes in a still memory');
  }
}
