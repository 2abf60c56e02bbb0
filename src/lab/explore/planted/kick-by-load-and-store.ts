import { ExploredMemory } from '../explored-memory.js';
import type { Plant } from './plant.js';

export const kickByLoadAndStore: Plant = {
  name: 'kick-by-load-and-store',
  mistake: 'a request that the main loop look at a machine is set by load and store, over its clearing',
  locking: 'lockless-timer',
  scenario: 'arm-earlier',
  kind: 'meaning',
  options: { memory: (execution) => new ForgetfulMemory(execution) },
};

class ForgetfulMemory extends ExploredMemory {
  override or(address: number, value: number): number {
    const old = this.load(address);
    this.store(address, old | value);
    return old | value;
  }
}
