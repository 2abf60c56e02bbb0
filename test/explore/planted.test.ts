import t from 'tap';
import { Ioapic } from '../../src/devices/ioapic/ioapic.js';
import { scenarioNamed } from '../../src/explore/campaign.js';
import type { Execution } from '../../src/explore/execution.js';
import { explore } from '../../src/explore/explore.js';
import { ExploredMemory } from '../../src/explore/explored-memory.js';
import type { ExploreOptions } from '../../src/explore/explorer.js';
import type { FindingKind } from '../../src/explore/finding.js';
import { endOfInterrupt, line, type Scenario } from '../../src/explore/scenario.js';
import type { Design, IrqAxis, TimerAxis } from '../../src/locking/axes.js';
import { IRQ_AXIS, PRESETS, TIMER_AXIS } from '../../src/locking/presets.js';
import type { Memory } from '../../src/memory/memory.js';
import { LOCK_COUNT, ROUTER, TIMERS } from '../../src/sync/lock-names.js';
import { lockAddress } from '../../src/sync/locks.js';

/** A known mistake, planted in a test double; some scenario must catch it. */
interface Planted {
  readonly bug: string;
  readonly scenario: string;
  readonly kind: FindingKind;
  readonly design?: Design;
  readonly machine?: Scenario['machine'];
  readonly options?: ExploreOptions;
  /** What the vCPUs do in place of what the scenario says: where its other requests would hide the mistake. */
  readonly vcpus?: Scenario['vcpus'];
  /** Plants the mistake in a device; returns what takes it out again. */
  readonly plant?: () => () => void;
}

/** A method of a device in place of the right one, which it is given. */
function replaced<T extends object, K extends keyof T>(device: T, name: K, double: (right: T[K]) => T[K]): () => void {
  const right = device[name];
  device[name] = double(right);
  return () => {
    device[name] = right;
  };
}

const safe = PRESETS['lockless-timer'];

function plantTimer(axis: Partial<TimerAxis>): Design {
  const double = { ...safe.timer, ...axis };
  (TIMER_AXIS as TimerAxis[]).push(double);
  return { ...safe, timer: double };
}

function plantIrq(base: IrqAxis, axis: Partial<IrqAxis>): Design {
  const double = { ...base, ...axis };
  (IRQ_AXIS as IrqAxis[]).push(double);
  return { ...safe, irq: double };
}

/** A seam in which operations on a lock of the machine are changed. */
function plantInLocks(isPlanted: (lock: number) => boolean, plant: Partial<ExploredMemory>): ExploreOptions {
  return { memory: (execution) => new PlantedMemory(execution, isPlanted, plant) };
}

class PlantedMemory extends ExploredMemory {
  constructor(
    execution: Execution,
    readonly isPlanted: (lock: number) => boolean,
    readonly plant: Partial<ExploredMemory>,
  ) {
    super(execution);
  }

  #planted(address: number): boolean {
    if (this.base === 0) return false;
    for (let lock = 0; lock < LOCK_COUNT; lock++) if (lockAddress(lock) === address) return this.isPlanted(lock);
    return false;
  }

  override notify(address: number, count: number): void {
    if (this.plant.notify && this.#planted(address)) this.plant.notify.call(this, address, count);
    else super.notify(address, count);
  }

  override exchange(address: number, value: number): number {
    if (this.plant.exchange && this.#planted(address)) return this.plant.exchange.call(this, address, value);
    return super.exchange(address, value);
  }

  override compareExchange(address: number, expected: number, value: number): number {
    if (this.plant.compareExchange && this.#planted(address)) {
      return this.plant.compareExchange.call(this, address, expected, value);
    }
    return super.compareExchange(address, expected, value);
  }
}

/** A seam in which the bits that ask the main loop to look are lost when it is about to look. */
class ForgetfulMemory extends ExploredMemory {
  override or(address: number, value: number): number {
    const old = this.load(address);
    this.store(address, old | value);
    return old | value;
  }
}

const { lockless, deferred, tryQueue } = {
  lockless: PRESETS['lockless-irq'].irq,
  deferred: PRESETS['deferred-revalidated'].irq,
  tryQueue: PRESETS['try-queue'].irq,
};

const PLANTED: readonly Planted[] = [
  {
    bug: 'callback without the mutex',
    scenario: 'callback-comparator',
    kind: 'race',
    design: plantTimer({ enter() {}, leave() {} }),
  },
  {
    bug: 'mutex under the big lock',
    scenario: 'callback-acknowledge',
    kind: 'deadlock',
    design: { ...safe, timer: PRESETS['nested-mutex'].timer },
  },
  {
    bug: 'callback leaves with the mutex held',
    scenario: 'callback-acknowledge',
    kind: 'deadlock',
    design: plantTimer({ leave() {} }),
  },
  {
    bug: 'reset without the mutex',
    scenario: 'reset-write',
    kind: 'race',
    design: { ...safe, control: PRESETS['legacy-race'].control },
  },
  {
    bug: 'missing wake-up of a lock',
    scenario: 'mutex-barging',
    kind: 'deadlock',
    options: plantInLocks(() => true, { notify() {} }),
  },
  {
    bug: 'unlock by plain store, which forgets that someone waits',
    scenario: 'mutex-barging',
    kind: 'deadlock',
    options: plantInLocks(() => true, {
      exchange(this: ExploredMemory, address, value) {
        this.store(address, value);
        return 0;
      },
    }),
  },
  {
    bug: 'lock by load and store',
    scenario: 'mutex-barging',
    kind: 'race',
    options: plantInLocks(() => true, {
      compareExchange(this: ExploredMemory, address, expected, value) {
        const old = this.load(address);
        if (old === expected) this.store(address, value);
        return old;
      },
    }),
  },
  {
    bug: 'timer list walked without its lock',
    scenario: 'equal-deadlines',
    kind: 'race',
    options: plantInLocks((lock) => lock === TIMERS, { compareExchange: () => 0, exchange: () => 0 }),
  },
  {
    bug: 'level computed outside the router’s protection',
    scenario: 'shared-line',
    kind: 'race',
    design: plantIrq(lockless, {
      driveLine: (target, line, source, level) => target.driveLine(line, source, level),
    }),
  },
  {
    bug: 'timer index off by one',
    scenario: 'callback-acknowledge',
    kind: 'meaning',
    design: plantIrq(safe.irq, {
      driveLine(target, line, source, level) {
        safe.irq.driveLine(target, line, source + 1, level);
      },
    }),
  },
  {
    bug: 'edge dropped from the deferred list',
    scenario: 'callback-disable',
    kind: 'meaning',
    design: plantIrq(deferred, { pulseLine() {} }),
  },
  {
    bug: 'deferred list carried out under the mutex',
    scenario: 'callback-acknowledge',
    kind: 'deadlock',
    design: { ...safe, timer: PRESETS['nested-mutex'].timer, irq: PRESETS['nested-mutex'].irq },
  },
  {
    bug: 'queue holder that does not look again after its unlock',
    scenario: 'shared-line',
    kind: 'meaning',
    design: plantIrq(tryQueue, {
      leave: (target, controller, entered) => target.locks.unguard(controller, entered),
      driveLine(target, line, source, level) {
        if (!target.locks.tryAcquire(ROUTER)) {
          target.lineQueue.push(line, source, level);
          return;
        }
        target.driveLine(line, source, level);
        target.locks.release(ROUTER);
      },
    }),
  },
  {
    bug: 'cancelled callback not re-validated',
    scenario: 'fsb-switch',
    kind: 'meaning',
    machine: { generationCheck: false },
  },
  {
    bug: 'lost wake-up of the main loop by an earlier deadline',
    scenario: 'arm-earlier',
    kind: 'meaning',
    options: { memory: (execution) => new ForgetfulMemory(execution) },
  },
  {
    bug: 'EOI without testing the line again',
    scenario: 'mask-line-eoi',
    kind: 'meaning',
    // Unmasking would send what the EOI forgot.
    vcpus: [[endOfInterrupt(0x35)], [line(5, 0), line(5, 1)]],
    plant: () =>
      replaced(
        Ioapic.prototype,
        'endOfInterrupt',
        (right) =>
          function (this: Ioapic, vector) {
            right.call(new Ioapic(requestsForgotten(this.memory), this.ports), vector);
          },
      ),
  },
];

/** What an EOI reads after it has cleared remote IRR is which lines are high: here none. */
function requestsForgotten(memory: Memory): Memory {
  let cleared = false;
  const double: Pick<Memory, 'get' | 'set'> = {
    get(address) {
      const value = memory.get(address);
      return cleared ? 0 : value;
    },
    set(address, value) {
      memory.set(address, value);
      cleared = true;
    },
  };
  return double as Memory;
}

for (const { bug, scenario: name, kind, design = safe, machine, options, vcpus, plant } of PLANTED) {
  t.test(`${bug}: caught by ${name}`, async (t) => {
    const found = scenarioNamed(name);
    if (!found) throw new Error(`no scenario ${name}`);
    const scenario = vcpus ? { ...found, vcpus } : found;
    const planted = machine ? { ...scenario, machine: { ...scenario.machine, ...machine } } : scenario;
    const clean = explore(scenario, safe, { mutex: 'blocking' });
    t.same(clean.findings, [], 'without it there is nothing');
    // A few states are enough: the shortest counterexample comes first.
    const takeOut = plant?.();
    if (takeOut) t.teardown(takeOut);
    const { findings } = explore(planted, design, { maxStates: 60_000, ...options });
    t.ok(
      findings.some((finding) => finding.kind === kind),
      `${kind}, of: ${findings.map((finding) => `${finding.kind} ${finding.summary}`).join('; ')}`,
    );
  });
}
