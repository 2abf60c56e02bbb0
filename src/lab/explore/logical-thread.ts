import { STATUS } from '../../core/devices/hpet/state.js';
import { Machine } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import { DEVICE } from '../../core/sync/lock-names.js';
import { Locks } from '../../core/sync/locks.js';
import { NO_STATISTICS } from '../../core/sync/statistics.js';
import { Thread } from '../../core/sync/thread.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import {
  FIRST_VCPU_THREAD,
  GATEWAY_THREAD,
  LOAD_THREAD,
  MAIN_LOOP_THREAD,
  machineAt,
  type SharedMap,
  submissionRingAt,
  vcpuBellAt,
} from '../../runtime/memory/shared-map.js';
import { DeadlineQueue } from '../../runtime/rings/deadline-queue.js';
import { SubmissionRing } from '../../runtime/rings/submission-ring.js';
import { ThreadHost } from '../../runtime/threads/host.js';
import { LoadThread } from '../../runtime/threads/load-thread.js';
import { MainLoop } from '../../runtime/threads/main-loop.js';
import { VcpuThread } from '../../runtime/threads/vcpu-thread.js';
import { History } from './history.js';
import type { ControlRequest } from './scenario.js';

/** The memory map, and whether threads detect wait cycles. */
export interface ExploredMap extends SharedMap {
  readonly breaksDeadlocks: boolean;
}

/**
 * A thread under exploration: a production entry point. Each execution of a step constructs its production objects from
 * scratch. A thread carries only a few numbers from one step to the next.
 */
export interface LogicalThread {
  readonly name: string;
  /** Number in the thread table. */
  readonly id: number;
  /** The word that it waits on when idle; −1 if none. */
  readonly idleAt: number;
  readonly firstCarried: readonly number[];
  readonly history: History;
  /**
   * Constructs the production objects; returns the step. The step returns the carried values, or undefined at the end.
   */
  begin(memory: () => Memory, carried: readonly number[]): () => readonly number[] | undefined;
}

export function makeThread(map: ExploredMap, id: number, shared: Memory): Thread {
  return new Thread(id, shared, NO_STATISTICS, map.breaksDeadlocks ? new WaitGraph(shared, id) : undefined);
}

/**
 * The main loop. A step is one of the three parts of `iterate`, or all of it: shorter steps merge more histories. It
 * carries the next part, and the host time of its machine's deadline.
 */
export function mainLoopThread(map: ExploredMap, firstDeadline: number, inParts: boolean): LogicalThread {
  return {
    name: 'main loop',
    id: MAIN_LOOP_THREAD,
    idleAt: map.mainLoopBell,
    firstCarried: [0, firstDeadline],
    history: new History(),
    begin(memory, [part, deadline]) {
      const shared = memory();
      const deadlines = new DeadlineQueue();
      deadlines.set(0, deadline);
      const loop = new MainLoop(makeThread(map, MAIN_LOOP_THREAD, shared), memory(), map, deadlines);
      const parts = [
        () => {
          loop.answerRound();
          loop.runKicked();
        },
        () => loop.runDue(),
        () => loop.sleep(),
      ];
      return () => {
        for (const each of inParts ? [parts[part]] : parts) {
          each();
          loop.machine.assertIdle();
        }
        return [inParts ? (part + 1) % 3 : 0, deadlines.earliest];
      };
    },
  };
}

/** The load thread; in parts as the main loop, and it carries the same. */
export function loadThread(map: ExploredMap): LogicalThread {
  return {
    name: 'load thread',
    id: LOAD_THREAD,
    idleAt: map.loadBell,
    firstCarried: [0, Number.POSITIVE_INFINITY],
    history: new History(),
    begin(memory, [part, deadline]) {
      const shared = memory();
      const deadlines = new DeadlineQueue();
      deadlines.set(0, deadline);
      const loop = new LoadThread(makeThread(map, LOAD_THREAD, shared), memory(), map, deadlines);
      return () => {
        if (part === 0) loop.runKicked();
        else if (part === 1) loop.runDue();
        else loop.sleep();
        loop.machine.assertIdle();
        return [(part + 1) % 3, deadlines.earliest];
      };
    },
  };
}

/** A vCPU thread, with its requests in its ring. */
export function vcpuThread(map: ExploredMap, index: number): LogicalThread {
  const id = FIRST_VCPU_THREAD + index;
  return {
    name: `vCPU ${index}`,
    id,
    idleAt: vcpuBellAt(map, index),
    firstCarried: [],
    history: new History(),
    begin(memory) {
      const shared = memory();
      const submissions = new SubmissionRing(shared, submissionRingAt(map, index), map.submissions);
      const vcpu = new VcpuThread(makeThread(map, id, shared), memory(), map, index, submissions);
      return () => {
        const goesOn = vcpu.step();
        vcpu.machine.assertIdle();
        return goesOn ? [] : undefined;
      };
    },
  };
}

/** Takes a lock of the machine, counts in a word that only the lock protects, and releases it, `rounds` times. */
export function lockerThread(map: ExploredMap, index: number, rounds: number): LogicalThread {
  const id = FIRST_VCPU_THREAD + index;
  return {
    name: `locker ${index}`,
    id,
    idleAt: -1,
    firstCarried: [rounds],
    history: new History(),
    begin(makeMemory, [left]) {
      const memory = makeMemory();
      const locks = new Locks(memory, makeThread(map, id, makeMemory()));
      return () => {
        memory.select(machineAt(map, 0));
        locks.select();
        locks.acquire(DEVICE);
        memory.set(STATUS, memory.get(STATUS) + 1);
        locks.release(DEVICE);
        return left > 1 ? [left - 1] : undefined;
      };
    },
  };
}

/** The gateway, which submits one piece of control work to the main loop. */
export function controlThread(map: ExploredMap, { work, argument }: ControlRequest): LogicalThread {
  return {
    name: 'gateway',
    id: GATEWAY_THREAD,
    idleAt: -1,
    firstCarried: [],
    history: new History(),
    begin(memory) {
      const shared = memory();
      const thread = makeThread(map, GATEWAY_THREAD, shared);
      const machine = new Machine(memory(), thread, new ThreadHost(shared, map));
      const { due } = machine;
      return () => {
        machine.select(machineAt(map, 0));
        due.requestControl(work, argument);
        machine.assertIdle();
        return undefined;
      };
    },
  };
}
