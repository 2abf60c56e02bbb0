import { SharedMemory } from '../memory/shared-memory.js';
import { BQL, DEVICE, LOCK_NAMES, ROUTER } from '../sync/lock-names.js';
import { DEFAULT_LOCKS, Locks } from '../sync/locks.js';
import { NO_STATISTICS } from '../sync/statistics.js';
import { Thread } from '../sync/thread.js';
import type { Design, IrqTarget } from './axes.js';
import { DeferredList } from './deferred-list.js';
import { LineDecisions } from './line-decisions.js';
import { LineQueue } from './line-queue.js';

const WORDS = 4096;
const FREE = 0;
const bit = (lock: number) => 1 << lock;

/** A thread alone on a machine: its locks, and the masks of locks that it held at each acquisition. */
class LoneThread {
  readonly #underAcquisition: { readonly lock: number; readonly held: number }[] = [];
  #releasedBql = false;
  readonly locks: Locks;
  /** With nothing decided, queued or deferred. */
  readonly target: IrqTarget;

  constructor() {
    const memory = SharedMemory.ofWords(WORDS);
    const statistics = {
      ...NO_STATISTICS,
      acquired: (lock: number) => {
        this.#underAcquisition.push({ lock, held: this.locks.held & ~bit(lock) });
      },
      releasing: (lock: number) => {
        if (lock === BQL) this.#releasedBql = true;
      },
    };
    this.locks = new Locks(memory, new Thread(1, memory, statistics));
    this.locks.create(DEFAULT_LOCKS);
    this.locks.select();
    const nothing = () => {};
    this.target = {
      locks: this.locks,
      deferred: new DeferredList(statistics),
      decisions: new LineDecisions(memory),
      lineQueue: new LineQueue(memory),
      quirks: 0,
      driveLine: nothing,
      pulseLine: nothing,
      assignLine: nothing,
      sendMsi: nothing,
      setPitGate: nothing,
    };
  }

  /** Starts to watch with exactly these locks held. */
  begin(...held: number[]): this {
    this.locks.restore(held.reduce((mask, lock) => mask | bit(lock), FREE));
    this.#underAcquisition.length = 0;
    this.#releasedBql = false;
    return this;
  }

  took(lock: number, under?: number): boolean {
    return this.#underAcquisition.some(
      (taken) => taken.lock === lock && (under === undefined || (taken.held & bit(under)) !== 0),
    );
  }

  get releasedBql(): boolean {
    return this.#releasedBql;
  }

  get held(): string {
    return LOCK_NAMES.filter((_, lock) => this.locks.holds(lock)).join(' and ') || 'no lock';
  }
}

/**
 * Enters and leaves with each axis value of a design, on one thread, and compares the locks that it takes with the traits
 * that it declares. Returns what contradicts them, as sentences without a full stop.
 */
export function traitFaults(design: Design): string[] {
  return [...mmioFaults(design), ...timerFaults(design), ...irqFaults(design), ...controlFaults(design)];
}

function mmioFaults({ mmio }: Design): string[] {
  const thread = new LoneThread().begin();
  const faults: string[] = [];
  mmio.enter(thread.locks);
  const wanted = mmio.underBql ? BQL : DEVICE;
  if (!thread.locks.holds(wanted)) {
    faults.push(`mmio.enter must take ${LOCK_NAMES[wanted]} if underBql is ${mmio.underBql}; it holds ${thread.held}`);
  }
  mmio.leave(thread.locks);
  if (thread.locks.held !== FREE) faults.push(`mmio.leave must release all locks; it keeps ${thread.held}`);
  return faults;
}

function timerFaults({ timer }: Design): string[] {
  const before = timer.lockless ? [] : [BQL];
  const thread = new LoneThread().begin(...before);
  const faults: string[] = [];
  if (timer.kicks && timer.lockless) faults.push('timer.lockless must be false if kicks is true');
  timer.enter(thread.locks);
  const keeps = !timer.lockless && !timer.kicks && !thread.releasedBql;
  if (keeps !== timer.keepsBql) {
    faults.push(`timer.keepsBql is ${timer.keepsBql}, but timer.enter ${keeps ? 'keeps' : 'does not keep'} the BQL`);
  }
  const nests = thread.took(BQL, DEVICE);
  if (nests !== timer.takesBqlUnderMutex) {
    faults.push(
      `timer.takesBqlUnderMutex is ${timer.takesBqlUnderMutex}, but timer.enter ${nests ? 'takes' : 'does not take'} the BQL under the mutex`,
    );
  }
  timer.leave(thread.locks);
  const wanted = before.length === 0 ? FREE : bit(BQL);
  if (thread.locks.held !== wanted) {
    faults.push(
      `after timer.leave the main loop must hold ${wanted ? 'the BQL alone' : 'no lock'}; it holds ${thread.held}`,
    );
  }
  return faults;
}

function irqFaults({ irq }: Design): string[] {
  const thread = new LoneThread().begin();
  const faults: string[] = [];
  const { target } = thread;
  const entered = irq.enter(target, ROUTER);
  const wanted = irq.lockless ? ROUTER : BQL;
  if (!thread.locks.holds(wanted)) {
    faults.push(`irq.enter must take ${LOCK_NAMES[wanted]} if lockless is ${irq.lockless}; it holds ${thread.held}`);
  }
  irq.leave(target, ROUTER, entered);
  if (thread.locks.held !== FREE) faults.push(`irq.leave must release all locks; it keeps ${thread.held}`);
  if (irq.lockless && irq.takesBql) faults.push('irq.takesBql must be false if lockless is true');
  return faults;
}

function controlFaults(design: Design): string[] {
  const { control } = design;
  const thread = new LoneThread().begin(BQL);
  const faults: string[] = [];
  control.enter(thread.locks, design);
  const takes = thread.took(DEVICE);
  if (takes !== control.takesMutex) {
    faults.push(
      `control.takesMutex is ${control.takesMutex}, but control.enter ${takes ? 'takes' : 'does not take'} the mutex`,
    );
  }
  control.leave(thread.locks, design);
  if (thread.locks.held !== bit(BQL)) {
    faults.push(`after control.leave the main loop must hold the BQL alone; it holds ${thread.held}`);
  }
  return faults;
}
