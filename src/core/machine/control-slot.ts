import { CONTROL_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

/** 0: none; 1: requested; 2: done. */
const STATE = AREA.word('state', 'sync');
const WORK = AREA.word('work', 'control');
/** As the work has it; of a restore, virtual time in ns, 0 to `CLOCK_END`. */
const ARGUMENT = AREA.time('argument', 'control');

const REQUESTED = 1;
const DONE = 2;

/** One piece of control work at a time, handed from the gateway to the main loop and back. */
export class ControlSlot {
  constructor(readonly memory: Memory) {}

  /** The caller makes sure that there is one request at a time. */
  request(work: number, argument: number): void {
    this.memory.set(WORK, work);
    this.memory.setTime(ARGUMENT, argument);
    this.memory.store(STATE, REQUESTED);
  }

  get isRequested(): boolean {
    return this.memory.load(STATE) === REQUESTED;
  }

  get work(): number {
    return this.memory.get(WORK);
  }

  get argument(): number {
    return this.memory.getTime(ARGUMENT);
  }

  complete(): void {
    this.memory.store(STATE, DONE);
  }

  get isDone(): boolean {
    return this.memory.load(STATE) === DONE;
  }

  /** Whether the requested work is done; makes room for the next. */
  takeDone(): boolean {
    return this.memory.compareExchange(STATE, DONE, 0) === DONE;
  }
}
