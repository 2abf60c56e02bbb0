import type { Change } from './events.js';
import type { Step } from './machine.js';

/** Steps that happen at once. */
export interface Group {
  readonly steps: readonly Step[];
  /** Revalidated: the changes of the access. */
  readonly changes?: readonly Change[];
  readonly needsRouter?: boolean;
  readonly freesRouter?: boolean;
}

/** How far a thread is. */
export interface Turn {
  operation: number;
  part: number;
  groups: Group[];
  replies: string[];
  /** Operations that have returned. */
  returned: number;
  /** Of a step: where it leads, and the time at which it was cancelled. */
  target: bigint;
  cancelledAt: bigint | undefined;
}

export function newTurn(): Turn {
  return { operation: 0, part: 0, groups: [], replies: [], returned: 0, target: 0n, cancelledAt: undefined };
}

export interface Callback {
  readonly timer: number;
  readonly generation: number;
}

/** The owner of a resource that is free. */
export const NOBODY = -1;

/** Whether a resource is free for an actor. */
export function isFor(owner: number, actor: number): boolean {
  return owner === NOBODY || owner === actor;
}

/** Each step by itself, under the protection of the router from the first to the last. */
export function underRouter(steps: readonly Step[]): Group[] {
  return steps.map((step, i) => ({
    steps: [step],
    needsRouter: step.at !== 'msi',
    freesRouter: i === steps.length - 1,
  }));
}
