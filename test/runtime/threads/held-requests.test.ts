import t from 'tap';
import { HPET_BASE, IOAPIC_BASE } from '../../../src/core/devices/guest-map.js';
import { GENERAL_CONFIGURATION } from '../../../src/core/devices/hpet/registers.js';
import { PROFILES, quirkBits } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import type { Machine } from '../../../src/core/machine/machine.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { U64 } from '../../../src/core/memory/u64.js';
import { NO_STATISTICS } from '../../../src/core/sync/statistics.js';
import { Thread } from '../../../src/core/sync/thread.js';
import { HEAD } from '../../../src/runtime/events/event-ring.js';
import {
  FIRST_VCPU_THREAD,
  GATEWAY_THREAD,
  MAIN_LOOP_THREAD,
  machineAt,
  sharedMap,
} from '../../../src/runtime/memory/shared-map.js';
import { type MachineRequests, Request } from '../../../src/runtime/rings/requests.js';
import * as ring from '../../../src/runtime/rings/submission-ring.js';
import { Gateway } from '../../../src/runtime/threads/gateway.js';
import { MainLoop } from '../../../src/runtime/threads/main-loop.js';
import { VcpuThread } from '../../../src/runtime/threads/vcpu-thread.js';
import { comparatorOf, configurationOf, routed } from '../../support/hpet-registers.js';
import fc from '../../support/properties.js';
import { tier } from '../../support/tier.js';

/** One machine has a manual clock and timers of a short period, one a clock that stands still here. */
const STEPPED = 0;
const OTHER = 1;
const MACHINES = [STEPPED, OTHER];
const PERIODIC_VAL_SET = 0x48;
const TICKS_PER_US = 100;
/** More than one callback or access of these machines emits. */
const BURST = 16;
/** Room for little more than a burst of each producer, and for everything. */
const SMALL = 64;
const LARGE = 65_536;
const SELECT = IOAPIC_BASE;
const WINDOW = IOAPIC_BASE + 0x10;

/** Memory of a thread that may wait for the main loop only: then the main loop has its turn. */
class OneThreadMemory extends SharedMemory {
  onWait = () => {};
  forbidden = 0;

  override hostTime(): number {
    return 1_000;
  }

  override wait(address: number): void {
    if (this.base + address === this.forbidden) throw new Error('waits for room in the event ring');
    this.onWait();
  }
}

interface Command {
  readonly machine: number;
  readonly kind: 'line' | 'select' | 'read' | 'match' | 'turn' | 'step';
  readonly n: number;
}

/** The gateway, the main loop and one vCPU thread, all in one: two machines share the vCPU thread. */
class Fixture {
  readonly gateway: Gateway;
  readonly records: MachineRequests[];
  /** Per machine, in order: the events that were delivered and the replies. */
  readonly log: string[][] = MACHINES.map(() => []);
  answered = 0;
  held = 0;
  /** The main counter of the stepped machine after all steps so far. */
  #ticks = 0;
  #isOn = true;
  readonly #mainLoop: MainLoop;
  readonly #vcpu: VcpuThread;

  constructor(locking: PresetName, events: number) {
    const map = sharedMap({ machines: 2, vcpuThreads: 1, submissions: 8, events, burst: BURST, statisticsSlots: 1 });
    const buffer = new SharedArrayBuffer(map.words * 4);
    const memories: OneThreadMemory[] = [];
    const memory = () => {
      const made = new OneThreadMemory(buffer);
      made.forbidden = map.eventRing + HEAD;
      made.onWait = () => this.#runMainLoop();
      memories.push(made);
      return made;
    };
    const shared = memory();
    this.#mainLoop = new MainLoop(new Thread(MAIN_LOOP_THREAD, shared, NO_STATISTICS), memory(), map);
    const submissions = new ring.SubmissionRing(shared, map.submissionRings, map.submissions);
    this.#vcpu = new VcpuThread(new Thread(FIRST_VCPU_THREAD, shared, NO_STATISTICS), memory(), map, 0, submissions);
    const ports = {
      deliver: (slot: number, { kind, a, b, c }: { kind: number; a: number; b: number; c: number }) => {
        this.log[slot].push(`event ${kind} ${a} ${b} ${c}`);
      },
      hang() {},
    };
    this.gateway = new Gateway(new Thread(GATEWAY_THREAD, shared, NO_STATISTICS), memory(), map, ports, {});
    this.gateway.vcpus.push(this.gateway.dispatch(FIRST_VCPU_THREAD, 0, 0));
    this.records = MACHINES.map((slot) => this.gateway.newRecord(slot));
    for (const slot of MACHINES) {
      this.gateway.states.add(slot);
      createMachine(this.gateway.machine, machineAt(map, slot), slot, locking);
    }
    this.#runMainLoop();
    while (this.gateway.turn());
    for (const each of this.log) each.length = 0;
  }

  #runMainLoop(): void {
    this.#mainLoop.answerRound();
    this.#mainLoop.runKicked();
    this.#mainLoop.runDue();
  }

  submit({ machine, kind, n }: Command): void {
    const operands = operandsOf(kind, n, this.#ticks);
    if (kind === 'turn') this.#isOn = n === 1;
    if (kind === 'step' && this.#isOn) this.#ticks += n * TICKS_PER_US;
    const request = new Request(machine, 0, ...operands, ({ status, low }) => {
      this.answered++;
      this.log[machine].push(`reply ${kind} ${n}: ${status} ${low}`);
    });
    this.records[machine].admit(request);
  }

  /** The vCPU thread does one thing, if it has anything to do. */
  runVcpu(): void {
    this.#vcpu.step();
    this.held += this.gateway.host.shares.holds(STEPPED, 0) || this.gateway.host.shares.holds(OTHER, 0) ? 1 : 0;
  }

  /** Everything that is left. */
  finish(requests: number): void {
    for (let turns = 0; this.answered < requests; turns++) {
      if (turns > 100_000) throw new Error(`${requests - this.answered} requests stay unanswered`);
      this.runVcpu();
      this.#runMainLoop();
      this.gateway.turn();
    }
    while (this.gateway.turn());
  }
}

function operandsOf(kind: Command['kind'], n: number, ticks: number): [number, number, number, number, number] {
  switch (kind) {
    case 'line':
      return [ring.SET_LINE, 0, 5 + (n >> 1), n & 1, 0];
    case 'select':
      return [ring.WRITE, 4, SELECT, n, 0];
    case 'read':
      return [ring.READ, 4, SELECT, 0, 0];
    case 'match':
      // It is due at once, or when the HPET is turned on: the comparator is what the main counter is.
      return [ring.WRITE, 8, HPET_BASE + comparatorOf(2 + n), ticks, 0];
    case 'turn':
      return [ring.WRITE, 8, HPET_BASE + GENERAL_CONFIGURATION, n, 0];
    default:
      return [ring.STEP, 0, n * 1_000, 0, 0];
  }
}

function createMachine(machine: Machine, base: number, slot: number, locking: PresetName): void {
  machine.create(base, {
    slot,
    design: PRESETS[locking],
    clock: slot === STEPPED ? 'manual' : 'realtime',
    hpet: { timers: 4, msi: false, routingCapability: 0x00ff_ffff },
    ioapic: { version: 0x20, id: 0 },
    quirks: quirkBits(PROFILES.standard),
    generationCheck: true,
    countOverlap: false,
  });
  const write = (address: number, size: number, value: number) =>
    machine.write(address, size, new U64().setNumber(value));
  for (let pin = 0; pin < 12; pin++) {
    write(SELECT, 4, 0x10 + 2 * pin);
    write(WINDOW, 4, 0x30 + pin);
  }
  if (slot !== STEPPED) return;
  for (const timer of [0, 1]) {
    write(HPET_BASE + configurationOf(timer), 8, routed(timer + 2) | PERIODIC_VAL_SET);
    write(HPET_BASE + comparatorOf(timer), 8, 100 + timer);
  }
  for (const timer of [2, 3]) write(HPET_BASE + configurationOf(timer), 8, routed(timer + 2));
  write(HPET_BASE + GENERAL_CONFIGURATION, 8, 1);
}

const commandOf = (kind: Command['kind'], n: fc.Arbitrary<number>, machines = MACHINES) =>
  fc.record({ machine: fc.constantFrom(...machines), kind: fc.constant(kind), n });
const command = fc.oneof(
  { weight: 4, arbitrary: commandOf('line', fc.nat(7)) },
  { weight: 2, arbitrary: commandOf('select', fc.nat(63)) },
  { weight: 2, arbitrary: commandOf('read', fc.constant(0)) },
  { weight: 2, arbitrary: commandOf('match', fc.nat(1), [STEPPED]) },
  { weight: 2, arbitrary: commandOf('turn', fc.nat(1), [STEPPED]) },
  { weight: 1, arbitrary: commandOf('step', fc.integer({ min: 1, max: 40 }), [STEPPED]) },
);
/** After a command: turns of the vCPU thread, and whether the gateway has one. */
interface Pace {
  readonly command: Command;
  readonly vcpu: number;
  readonly gateway: boolean;
}
const paces: fc.Arbitrary<Pace[]> = fc.array(
  fc.record({ command, vcpu: fc.nat(2), gateway: fc.nat(5).map((n) => n === 0) }),
  { minLength: 20, maxLength: 80 },
);

function run(locking: PresetName, events: number, paces: readonly Pace[]) {
  const fixture = new Fixture(locking, events);
  for (const { command, vcpu, gateway } of paces) {
    fixture.submit(command);
    for (let turn = 0; turn < vcpu; turn++) fixture.runVcpu();
    if (gateway) fixture.gateway.turn();
  }
  fixture.finish(paces.length);
  return fixture;
}

const DESIGNS: readonly PresetName[] = tier.allPresets ? PRESET_NAMES : ['bql', 'lockless-timer', 'kick-and-drain'];

for (const locking of DESIGNS) {
  t.test(`${locking}: a machine sees the same order, however little room the event ring has`, async (t) => {
    let held = 0;
    const property = fc.property(paces, (paces) => {
      const small = run(locking, SMALL, paces);
      held += small.held;
      return MACHINES.every((slot) => small.log[slot].join() === run(locking, LARGE, paces).log[slot].join());
    });
    t.doesNotThrow(() => fc.assert(property, { numRuns: 40 }));
    t.ok(held > 0, 'requests were held back');
  });
}

t.test('requests of another machine pass those of a machine without room', async (t) => {
  const fixture = new Fixture('lockless-timer', SMALL);
  const { shares } = fixture.gateway.host;
  let commands = 0;
  for (; !shares.holds(OTHER, 0); commands++) {
    if (commands === SMALL) t.fail('the machine has room for everything');
    fixture.submit({ machine: OTHER, kind: 'line', n: 1 - (commands & 1) });
    fixture.runVcpu();
  }
  const ofOther = fixture.gateway.vcpus[0].ring.completed();
  fixture.submit({ machine: STEPPED, kind: 'read', n: 0 });
  fixture.runVcpu();
  t.equal(fixture.gateway.vcpus[0].ring.status(ofOther), ring.OK);
  fixture.finish(commands + 1);
  t.equal(fixture.log[OTHER].filter((line) => line.startsWith('reply')).length, commands);
});
