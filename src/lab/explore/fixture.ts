import { PROFILES, quirkBits } from '../../core/devices/quirks.js';
import type { Design } from '../../core/locking/axes.js';
import { CALLBACKS_PER_SLICE } from '../../core/machine/due-work.js';
import type { Machine, MachineOptions } from '../../core/machine/machine.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { U64 } from '../../core/memory/u64.js';
import { NO_STATISTICS } from '../../core/sync/statistics.js';
import { Thread } from '../../core/sync/thread.js';
import {
  GATEWAY_THREAD,
  machineAt,
  type SharedMap,
  sharedMap,
  submissionRingAt,
} from '../../runtime/memory/shared-map.js';
import { DeadlineQueue } from '../../runtime/rings/deadline-queue.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import { ThreadHost } from '../../runtime/threads/host.js';
import { MainLoop } from '../../runtime/threads/main-loop.js';
import { clientThread, gatewayThread } from './gateway-thread.js';
import {
  controlThread,
  type ExploredMap,
  type LogicalThread,
  loadThread,
  lockerThread,
  mainLoopThread,
  vcpuThread,
} from './logical-thread.js';
import { Names } from './names.js';
import { inlineThread, orderedThread, steppingThread } from './program-threads.js';
import { type GuestRequest, operandsOf } from './requests.js';
import type { Scenario } from './scenario.js';
import { SOCKETS_WORDS, Sockets } from './sockets.js';

/** Memory for one thread, at a chosen host time. */
class PreparedMemory extends SharedMemory {
  time = 0;

  override hostTime(): number {
    return this.time;
  }
}

/** An event ring that holds all events of a scenario and is small enough to save with each state. */
const ROOM: NonNullable<Scenario['events']> = { capacity: 1024, burst: 32 };

/** A scenario's machine under one locking design, and the logical threads that act on it. */
export interface Fixture {
  readonly scenario: Scenario;
  readonly map: SharedMap;
  readonly names: Names;
  readonly initial: Int32Array;
  readonly threads: readonly LogicalThread[];
}

/** Prepares the machine with production code on one thread, up to the start of the scenario's threads. */
export function setUp(
  scenario: Scenario,
  design: Design,
  inParts = true,
  differences: Partial<MachineOptions> = {},
): Fixture {
  const options = { ...scenario.machine, ...differences };
  const vcpuThreads = Math.max(1, scenario.vcpus.length);
  const { capacity, burst, slice = 1 } = scenario.events ?? ROOM;
  const map = {
    ...sharedMap({ machines: 1, vcpuThreads, submissions: 4, events: capacity, burst, slice, statisticsSlots: 0 }),
    breaksDeadlocks: options.locks?.onDeadlock === 'break',
  };
  const memory = new PreparedMemory(new SharedArrayBuffer((map.words + SOCKETS_WORDS) * 4));
  const shared = new PreparedMemory(memory.buffer);
  const thread = new Thread(GATEWAY_THREAD, shared, NO_STATISTICS);
  const deadlines = new DeadlineQueue();
  // What happens before the threads run needs no slices.
  const mainLoop = new MainLoop(thread, memory, { ...map, slice: CALLBACKS_PER_SLICE }, deadlines);
  const { machine } = mainLoop;
  const base = machineAt(map, 0);
  const standard = standardMachine(design);
  machine.create(base, { ...standard, ...options, locks: { ...standard.locks, ...options.locks } });
  const { events } = new ThreadHost(shared, map, false);
  for (const step of scenario.before) {
    // Discard the events of the preparation, which may be many.
    events.drain(map.events, () => {});
    if ('mainLoopAt' in step) {
      memory.time = step.mainLoopAt;
      shared.time = step.mainLoopAt;
    }
    prepare(mainLoop, step);
  }
  // The reference begins without events.
  if (scenario.program) events.drain(map.events, () => {});
  for (let vcpu = 0; vcpu < scenario.vcpus.length; vcpu++) {
    if (scenario.gateway) {
      for (let frame = 0; frame < firstFrames(scenario, vcpu); frame++) new Sockets(map, shared).send(vcpu);
      continue;
    }
    const submissions = new ring.SubmissionRing(shared, submissionRingAt(map, vcpu), map.submissions);
    if (vcpu > 0 && scenario.program?.isOrdered) continue;
    for (const request of scenario.vcpus[vcpu]) {
      submissions.submit({ operation: request.operation, ...operandsOf(request) }, base);
    }
  }
  if (hasLoadThread(scenario)) new ThreadHost(shared, map).kickLoad(0);
  return {
    scenario,
    map,
    names: new Names(map),
    initial: new Int32Array(memory.buffer),
    threads: threads(scenario, map, deadlines.earliest, events.head(), inParts),
  };
}

/** Executes one step before the threads run. */
function prepare(mainLoop: MainLoop, step: Scenario['before'][number]): void {
  const { machine, due } = mainLoop;
  if ('mainLoopAt' in step) {
    mainLoop.runKicked();
    mainLoop.runDue();
    due.drainKicks();
  } else if ('work' in step) {
    due.requestControl(step.work, step.argument);
    mainLoop.runKicked();
    due.control.takeDone();
  } else {
    performRequest(machine, step);
  }
}

function threads(
  scenario: Scenario,
  map: ExploredMap,
  deadline: number,
  drained: number,
  inParts: boolean,
): LogicalThread[] {
  const { lockers } = scenario;
  if (lockers) return Array.from({ length: lockers.threads }, (_, i) => lockerThread(map, i, lockers.rounds));
  const all = [mainLoopThread(map, deadline, inParts)];
  for (let vcpu = 0; vcpu < scenario.vcpus.length; vcpu++) {
    all.push(scenario.machine?.clock === 'manual' ? steppingThread(map, vcpu) : vcpuThread(map, vcpu));
  }
  if (scenario.gateway) {
    all.push(gatewayThread(map, scenario, drained));
    scenario.vcpus.forEach((frames, vcpu) => {
      const later = frames.length - firstFrames(scenario, vcpu);
      if (later > 0) all.push(clientThread(map, vcpu, later));
    });
  }
  if (hasLoadThread(scenario)) all.push(loadThread(map));
  if (scenario.control) all.push(controlThread(map, scenario.control));
  const { inline, isOrdered } = scenario.program ?? {};
  if (inline) all.push(inlineThread(map, inline, scenario.vcpus.length - 1));
  if (isOrdered) all.push(orderedThread(map, scenario.vcpus[0].length, scenario.vcpus[1]));
  return all;
}

/** Where the main loop itself reads the main counter, there are no holds. */
function hasLoadThread({ machine }: Scenario): boolean {
  return machine?.load !== undefined && !machine.load.readsCounter;
}

/** Frames that arrive before the threads run. */
function firstFrames({ vcpus, framesHaveCome }: Scenario, vcpu: number): number {
  const { length } = vcpus[vcpu];
  return framesHaveCome ? length : Math.min(length, 1);
}

function standardMachine(design: Design): MachineOptions {
  return {
    slot: 0,
    design,
    clock: 'realtime',
    hpet: { timers: 3, msi: true, routingCapability: 0x00ff_ffff },
    ioapic: { version: 0x20, id: 0 },
    quirks: quirkBits(PROFILES.standard),
    generationCheck: true,
    countOverlap: false,
    // Deadlocks must stay visible. An oracle checks the lock order.
    locks: { onDeadlock: 'hang', checkOrder: false },
  };
}

/** Performs a request on the calling thread. */
export function performRequest(machine: Machine, { operation, size, address, value }: GuestRequest): void {
  switch (operation) {
    case ring.READ:
      machine.read(address, size);
      break;
    case ring.WRITE:
      machine.write(address, size, new U64().setNumber(value));
      break;
    case ring.SET_LINE:
      machine.setLine(address, value);
      break;
    case ring.END_OF_INTERRUPT:
      machine.endOfInterrupt(value);
      break;
    case ring.SET_LOGICAL_ADDRESS:
      machine.setLogicalAddress(address, value);
      break;
    case ring.PORT_READ:
      machine.portRead(address);
      break;
    case ring.PORT_WRITE:
      machine.portWrite(address, value);
      break;
    case ring.INTERRUPT_ACKNOWLEDGE:
      machine.acknowledgeInterrupt();
      break;
  }
}
