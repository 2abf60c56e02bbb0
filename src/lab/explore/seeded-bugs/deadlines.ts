import { TimerList } from '../../../core/machine/timer-list.js';
import { LOAD_TURN, Turn } from '../../../core/machine/turn.js';
import { KICK_AREA } from '../../../core/memory/map.js';
import { ThreadHost } from '../../../runtime/threads/host.js';
import { ExploredMemory } from '../explored-memory.js';
import { replaced, type SeededBug } from './seeded-bug.js';

/** Arming of timers, and the wakeup of the thread that fires them. */
export const DEADLINE_BUGS: readonly SeededBug[] = [
  {
    name: 'expired-deadline-not-armed',
    description: 'arming a timer whose deadline has passed cancels it instead of firing it',
    locking: 'lockless-timer',
    scenario: 'equal-deadlines',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          TimerList.prototype,
          'arm',
          (original) =>
            function (this: TimerList, timer, deadline) {
              if (deadline <= this.memory.hostTime()) this.cancel(timer);
              else original.call(this, timer, deadline);
            },
        ),
    },
  },
  {
    name: 'deadline-one-tick-late',
    description: 'a timer is armed for one tick after its match',
    locking: 'lockless-timer',
    scenario: 'callback-comparator',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          TimerList.prototype,
          'arm',
          (original) =>
            function (this: TimerList, timer, deadline) {
              original.call(this, timer, deadline + 10);
            },
        ),
    },
  },
  {
    name: 'earlier-deadline-without-wakeup',
    description: 'arming an earlier deadline does not wake the main loop',
    locking: 'lockless-timer',
    scenario: 'arm-earlier',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          ThreadHost.prototype,
          'kickMainLoop',
          () =>
            function (this: ThreadHost, slot) {
              this.shared.or(this.map.kicked + (slot >> 5), 1 << (slot & 31));
            },
        ),
    },
  },
  {
    name: 'kick-by-load-and-store',
    description: 'the kick bit for the main loop is set by a load and a store, which undoes a concurrent clear',
    locking: 'lockless-timer',
    scenario: 'arm-earlier',
    kind: 'linearizability',
    options: { memory: (execution) => new NonAtomicOr(execution) },
  },
  {
    name: 'kick-generation-not-cleared',
    description:
      'draining a kicked timer reads its generation without clearing it, so the next queue entry fires again',
    locking: 'kick-and-drain',
    scenario: 'rearm-due',
    kind: 'linearizability',
    options: { memory: (execution) => new GenerationKept(execution) },
  },
  {
    name: 'turn-cleared-without-wakeup',
    description: 'the load thread leaves a machine without a look at the mark of the main loop, which waits for it',
    locking: 'bql',
    scenario: 'hold-callback',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          Turn.prototype,
          'leave',
          (original) =>
            function (this: Turn, mine) {
              const isAwaited = original.call(this, mine);
              return isAwaited && mine !== LOAD_TURN;
            },
        ),
    },
  },
];

class NonAtomicOr extends ExploredMemory {
  override or(address: number, value: number): number {
    const old = this.load(address);
    this.store(address, old | value);
    return old | value;
  }
}

class GenerationKept extends ExploredMemory {
  override exchange(address: number, value: number): number {
    const isGeneration = this.base !== 0 && KICK_AREA.field(address)?.name.startsWith('kick.generation');
    return isGeneration ? this.load(address) : super.exchange(address, value);
  }
}
