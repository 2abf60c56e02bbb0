import type { Request } from '../rings/requests.js';
import { GONE, VIEW } from '../rings/submission-ring.js';
import type { LockView } from '../statistics/lock-view.js';

/**
 * The states of a machine for the supervisor, in the only order in which it passes them; any but the first may be left
 * out. `running`: requests enter. `hung`: threads wait for each other indefinitely (`onDeadlock: hang`). `frozen`: a
 * thread died in it, and may have left anything half done. `removed`: no thread is in it, and no lock names one.
 */
const STATES = ['running', 'hung', 'frozen', 'removed'] as const;
export type SupervisedState = (typeof STATES)[number];

/** A machine as the supervisor sees it, from its creation to its removal. */
export class SupervisedMachine {
  /** Threads that hang in it, or hung until they were ended. */
  readonly stuck = new Set<number>();
  /** Threads that died in it or were ended: locks of it may be theirs. */
  readonly gone = new Set<number>();
  /** Resolves when the machine becomes hung or frozen. */
  readonly stopped: Promise<void>;
  /** Virtual time in ns at which the machine became hung or frozen. */
  stoppedAt = 0;
  #state: SupervisedState = 'running';
  /** Requests that stay unanswered until the removal. */
  readonly #held: Request[] = [];
  #stop = () => {};

  constructor(readonly slot: number) {
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  get state(): SupervisedState {
    return this.#state;
  }

  /** Enters a state; false if the machine is in it, or beyond it. */
  enter(state: SupervisedState): boolean {
    if (STATES.indexOf(state) <= STATES.indexOf(this.#state)) return false;
    this.#state = state;
    if (state !== 'removed') this.#stop();
    if (state !== 'hung') for (const request of this.#held.splice(0)) request.answer(GONE, 0, 0);
    return true;
  }

  /**
   * Takes a request that must not enter the machine; false if it runs. A hung machine holds requests until its removal,
   * but answers views, which would block later views. A frozen one answers all: no design explains that hang.
   */
  refuse(request: Request): boolean {
    if (this.#state === 'running') return false;
    if (this.#state === 'hung' && request.operation !== VIEW) this.#held.push(request);
    else request.answer(GONE, 0, 0);
    return true;
  }
}

/** The machines of all slots, for the supervisor and for the gateway. */
export class MachineStates {
  readonly #machines: (SupervisedMachine | undefined)[] = [];
  /** Deadlock reports that were looked at. */
  #seen = 0;

  constructor(
    readonly lockView: LockView,
    /** Called for a machine that has become hung. */
    readonly onHang: (machine: SupervisedMachine) => void,
  ) {}

  /** A machine is made in a slot. */
  add(slot: number): void {
    this.#machines[slot] = new SupervisedMachine(slot);
  }

  /** The machine in a slot is removed. */
  delete(slot: number): void {
    this.#machines[slot] = undefined;
  }

  get(slot: number): SupervisedMachine | undefined {
    return slot < 0 ? undefined : this.#machines[slot];
  }

  /** All machines, in the order of their slots. */
  get all(): SupervisedMachine[] {
    return this.#machines.filter((machine) => machine !== undefined);
  }

  /** Takes a request to a machine that is hung or frozen; false for any other. */
  refuse(request: Request): boolean {
    return this.get(request.slot)?.refuse(request) ?? false;
  }

  get hasNews(): boolean {
    return this.lockView.deadlockCount !== this.#seen;
  }

  /** Finds machines in which a deadlock was left to hang since the last call. */
  note(): void {
    if (!this.hasNews) return;
    this.#seen = this.lockView.deadlockCount;
    for (const slot of this.lockView.hungSlots()) {
      const machine = this.get(slot);
      if (machine?.enter('hung')) this.onHang(machine);
    }
  }
}
