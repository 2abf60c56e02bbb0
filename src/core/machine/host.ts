import type { EventSink } from './events.js';

/** What a machine needs of the threads around it. */
export interface MachineHost {
  readonly events: EventSink;
  /** Makes the main loop visit a machine soon. */
  kickMainLoop(slot: number): void;
  /** Makes a vCPU thread run the callbacks that wait for one soon. */
  kickVcpu(slot: number): void;
  /** Makes the load thread visit a machine soon. */
  kickLoad(slot: number): void;
  /** Called before and after each wait for a round of the main loop. */
  settles?(isWaiting: boolean): void;
  /** Absolute word address of the transfer area for the state of a machine; undefined where snapshots are not used. */
  readonly transfer?: number;
  /** Callbacks of one slice; `CALLBACKS_PER_SLICE` of `due-work.ts` if not given. */
  readonly slice?: number | undefined;
}
