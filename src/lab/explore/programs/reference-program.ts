import { SOURCE_PIT } from '../../../core/devices/gsi/sources.js';
import * as G from '../../../core/devices/guest-map.js';
import { MAIN_COUNTER } from '../../../core/devices/hpet/registers.js';
import type { Design } from '../../../core/locking/axes.js';
import * as C from '../../../core/machine/control-path.js';
import * as ring from '../../../runtime/rings/submission-ring.js';
import { MachineModel } from '../reference/machine.js';
import { forEachOrder } from '../reference/orders.js';
import type { Application, Operation, Precedence, ReferenceProgram, Rules, Run } from '../reference/run.js';
import type { GuestRequest } from '../requests.js';
import type { ControlRequest, Scenario } from '../scenario.js';
import { type Observation, observationKey, observeRun } from './observation.js';
import { disarms, type Program, parseProgram, preparationOf, requestsOf, scenarioOf } from './program.js';

/** How a design applies what the HPET decides, by its traits. */
export function applicationOf({ mmio, irq }: Design): Application {
  if (mmio.underBql) return 'atomic';
  if (irq.appliesInPlace) return irq.lockless ? 'lockless' : 'inline';
  if (irq.numbered) return irq.coalesces ? 'revalidated' : 'deferred';
  if (irq.lockless) return 'queued';
  throw new Error(`the reference does not know how irq axis value ${irq.name} applies line changes`);
}

/** The standard machine of explorations (`fixture.ts`). */
const SHAPE = {
  hpet: { timers: 3, msi: true, routingCapability: 0x00ff_ffff },
  ioapic: { version: 0x20, id: 0 },
  hasPic: true,
};

function referenceOf(request: GuestRequest): Operation {
  const { operation, size, address, value } = request;
  const needsHpet = G.deviceAt(address, Math.max(1, size)) === G.HPET;
  const act = (work: (run: Run) => number | bigint | undefined): Operation['parts'] => [
    (run) => `ok ${work(run) ?? 0}`,
  ];
  switch (operation) {
    case ring.READ: {
      // The main counter can be read at any time.
      const isCounter = address === G.HPET_BASE + MAIN_COUNTER;
      return { parts: act(({ machine }) => machine.read(address, size)), needsHpet: needsHpet && !isCounter };
    }
    case ring.WRITE:
      return { parts: act(({ machine }) => void machine.write(address, size, BigInt(value))), needsHpet };
    case ring.SET_LINE:
      return { parts: act(() => 0), line: { gsi: address, level: value } };
    case ring.END_OF_INTERRUPT:
      return { parts: act(({ machine }) => void machine.endOfInterrupt(value)) };
    case ring.PORT_READ:
      return { parts: act(({ machine }) => machine.portRead(address)) };
    case ring.PORT_WRITE:
      return { parts: act(({ machine }) => void machine.portWrite(address, value)) };
    case ring.INTERRUPT_ACKNOWLEDGE:
      return { parts: act(({ machine }) => machine.acknowledgeInterrupt()) };
    case ring.STEP:
      return { parts: [(run, own) => void run.beginStep(own, BigInt(address))], ns: BigInt(address) };
    default:
      throw new Error(`the reference has no operation ${operation}`);
  }
}

function referenceControl({ work, argument }: ControlRequest, restorePoint: MachineModel): Operation {
  const entering = (...parts: ((run: Run) => void)[]): Operation => ({
    parts: parts.map((part) => (run) => void part(run)),
    needsHpet: true,
    isControl: true,
  });
  const other = (part: (run: Run) => void): Operation => ({ parts: [(run) => void part(run)], isControl: true });
  switch (work) {
    case C.CONTROL_RESET:
      return entering(
        (run) => {
          run.cancelSteps();
          run.machine.ioapic.reset();
        },
        ({ machine }) => machine.pic.reset(),
        ({ machine }) => machine.hpet.reset(),
      );
    case C.CONTROL_PAUSE:
      return other((run) => run.pause());
    case C.CONTROL_RESUME:
      return other((run) => run.resume());
    case C.CONTROL_LEGACY_INPUT:
      return entering(({ machine }) => machine.hpet.setInput(argument >> 1 === SOURCE_PIT ? 0 : 1, argument & 1));
    case C.CONTROL_SAVE:
      return entering((run) => run.save());
    case C.CONTROL_RESTORE:
      return entering((run) => run.restore(restorePoint, BigInt(argument)));
    case C.CONTROL_REMOVE:
      return entering((run) => run.remove());
    default:
      throw new Error(`the reference has no control work ${work}`);
  }
}

/** The reference machine at the start of the threads, and as it was saved. */
function prepare(program: Program, { times, machine: options }: Scenario) {
  const machine = new MachineModel(SHAPE);
  let saved = machine;
  for (const step of preparationOf(program)) {
    if ('mainLoopAt' in step) {
      machine.now = BigInt(step.mainLoopAt);
      machine.runDue();
    } else if ('work' in step) saved = machine.clone();
    else {
      performAlone(machine, step);
      machine.applyAll();
    }
  }
  machine.events = [];
  if (options?.clock !== 'manual') machine.now = BigInt(times[0]);
  return { machine, saved };
}

function performAlone(machine: MachineModel, { operation, size, address, value }: GuestRequest): void {
  if (operation === ring.SET_LINE) machine.setLine(address, value);
  else if (operation === ring.PORT_WRITE) machine.portWrite(address, value);
  else machine.write(address, size, BigInt(value));
}

/** A program in the terms of the reference, and the names of its threads. */
function inReference(program: Program, rules: Rules, restorePoint: MachineModel) {
  const names: string[] = [];
  const threads: Operation[][] = [];
  const scenario = scenarioOf(program);
  for (const vcpu of ['vcpu0', 'vcpu1'] as const) {
    names.push(vcpu);
    threads.push(requestsOf(program, vcpu).map(referenceOf));
  }
  const { control, program: parts } = scenario;
  names.push('gateway');
  threads.push(control ? [referenceControl(control, restorePoint)] : parts?.inline ? [referenceOf(parts.inline)] : []);
  const precedence: Precedence[] = parts?.isOrdered ? [{ first: 0, thread: 1, operation: 0 }] : [];
  const reference: ReferenceProgram = { rules, threads, precedence, disarms: disarms(scenario) };
  return { names, reference };
}

export type Observations = ReadonlyMap<string, Observation>;

const known = new Map<string, Observations>();
/** Programs whose outcomes are kept: one is explored under several designs, one after the other. */
const MOST_KNOWN = 64;

/** Every outcome that the reference has for the program of a name under a design. */
export function referenceOutcomes(name: string, design: Design): Observations {
  const program = parseProgram(name);
  if (!program) throw new Error(`${name} is not a generated program`);
  const hasManualClock = program.prepared.machine?.clock === 'manual';
  const rules: Rules = { application: applicationOf(design), kicks: design.timer.kicks, hasManualClock };
  const key = `${program.name} ${rules.application} ${rules.kicks}`;
  const found = known.get(key);
  if (found) return found;
  const outcomes = new Map<string, Observation>();
  const { machine, saved } = prepare(program, scenarioOf(program));
  const { names, reference } = inReference(program, rules, saved);
  forEachOrder(reference, machine, (run) => {
    const observed = observeRun(run, names);
    outcomes.set(observationKey(observed), observed);
  });
  if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value as string);
  known.set(key, outcomes);
  return outcomes;
}
