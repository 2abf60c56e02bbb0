import { KICK_AREA } from '../../../core/memory/map.js';
import { ExploredMemory } from '../explored-memory.js';
import type { Plant } from './plant.js';

export const kickTakenTwice: Plant = {
  name: 'kick-taken-twice',
  mistake: 'a drain reads the arming of a kicked timer and leaves it for the next entry of the queue',
  locking: 'kick-and-drain',
  scenario: 'rearm-due',
  kind: 'meaning',
  options: { memory: (execution) => new LenientMemory(execution) },
};

class LenientMemory extends ExploredMemory {
  override exchange(address: number, value: number): number {
    const isGeneration = this.base !== 0 && KICK_AREA.field(address)?.name.startsWith('kick.generation');
    return isGeneration ? this.load(address) : super.exchange(address, value);
  }
}
