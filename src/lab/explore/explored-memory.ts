import type { Memory } from '../../core/memory/memory.js';
import * as H from './history.js';

/** Performs the accesses of the running logical thread, or suspends the thread. */
export interface Performer {
  /** A plain access; returns the value of a read. */
  access(operation: number, address: number, value: number): number;
  /** A synchronising operation; returns its result. */
  operation(operation: number, address: number, a: number, b: number): number;
  spin(address: number, value: number): void;
  hostTime(): number;
}

/**
 * The seam under exploration: the same production code, one logical thread at a time, on one thread. Every access goes
 * to the thread's execution, which answers from the thread's history, performs the access, or suspends the thread by
 * throwing.
 */
export class ExploredMemory implements Memory {
  base = 0;

  constructor(readonly execution: Performer) {}

  get(address: number): number {
    return this.execution.access(H.GET, this.base + address, 0);
  }

  set(address: number, value: number): void {
    this.execution.access(H.SET, this.base + address, value | 0);
  }

  getTime(address: number): number {
    return this.execution.access(H.GET_TIME, even(this.base + address), 0);
  }

  setTime(address: number, value: number): void {
    this.execution.access(H.SET_TIME, even(this.base + address), value);
  }

  load(address: number): number {
    return this.execution.operation(H.LOAD, this.base + address, 0, 0);
  }

  store(address: number, value: number): void {
    this.execution.operation(H.STORE, this.base + address, value | 0, 0);
  }

  exchange(address: number, value: number): number {
    return this.execution.operation(H.EXCHANGE, this.base + address, value | 0, 0);
  }

  compareExchange(address: number, expected: number, value: number): number {
    return this.execution.operation(H.COMPARE_EXCHANGE, this.base + address, expected | 0, value | 0);
  }

  add(address: number, value: number): number {
    return this.execution.operation(H.ADD, this.base + address, value | 0, 0);
  }

  or(address: number, value: number): number {
    return this.execution.operation(H.OR, this.base + address, value | 0, 0);
  }

  wait(address: number, expected: number, timeout?: number): void {
    this.execution.operation(H.WAIT, this.base + address, expected | 0, timeout ?? -1);
  }

  notify(address: number, count: number): void {
    this.execution.operation(H.NOTIFY, this.base + address, Math.min(count, 0x7fff_ffff), 0);
  }

  spin(address: number, value: number): void {
    this.execution.spin(this.base + address, value | 0);
  }

  hostTime(): number {
    return this.execution.hostTime();
  }

  select(base: number): void {
    this.base = base;
  }
}

function even(address: number): number {
  if (address & 1) throw new Error(`a time must lie at an even address, not at ${address}`);
  return address;
}
