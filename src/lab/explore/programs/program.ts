import { CONTROL_REMOVE, CONTROL_RESET, CONTROL_RESTORE, CONTROL_SAVE } from '../../../core/machine/control-path.js';
import type { GuestRequest } from '../requests.js';
import type { ControlRequest, Preparation, Scenario } from '../scenario.js';
import { CALLBACK, CONTROL_WORK, mayRunInline, REQUESTS } from './operations.js';
import { PREPARED, type Prepared, QUIRKS, selectLine } from './prepared.js';

/** Threads of a program. The gateway submits control work, and executes requests itself where it can. */
export const PROGRAM_THREADS = ['vcpu0', 'vcpu1', 'gateway', 'main'] as const;
export type ProgramThread = (typeof PROGRAM_THREADS)[number];

export interface ProgramOperation {
  readonly name: string;
  readonly thread: ProgramThread;
  /** It begins once the operation before it has returned. */
  readonly follows: boolean;
}

/**
 * A generated program. Its name regenerates it: `generated:MACHINE:OPERATIONS`. Operations are `name.thread`, joined by `+`,
 * or by `~` if the second one begins once the first has returned.
 */
export interface Program {
  readonly name: string;
  readonly machine: string;
  readonly prepared: Prepared;
  readonly operations: readonly ProgramOperation[];
}

const PREFIX = 'generated';

export function isProgramName(name: string): boolean {
  return name.startsWith(`${PREFIX}:`);
}

export function programOf(machine: string, operations: readonly ProgramOperation[]): Program {
  const parts = operations.map(
    ({ name, thread, follows }, i) => `${i === 0 ? '' : follows ? '~' : '+'}${name}.${thread}`,
  );
  return { name: `${PREFIX}:${machine}:${parts.join('')}`, machine, prepared: PREPARED[machine], operations };
}

/** Undefined if the name is not that of a program. */
export function parseProgram(name: string): Program | undefined {
  const [prefix, machine, text, ...rest] = name.split(':');
  if (prefix !== PREFIX || !Object.hasOwn(PREPARED, machine ?? '') || !text || rest.length > 0) return undefined;
  const operations: ProgramOperation[] = [];
  for (const part of text.split(/(?=[+~])/)) {
    const [, joint = '', operation, thread] = /^([+~]?)([a-z0-9-]+)\.([a-z0-9]+)$/.exec(part) ?? [];
    if ((joint === '') !== (operations.length === 0) || !isPossible(operation, thread)) return undefined;
    operations.push({ name: operation, thread: thread as ProgramThread, follows: joint === '~' });
  }
  const program = programOf(machine, operations);
  return isConsistent(program) ? program : undefined;
}

/** Whether a thread can execute an operation. */
export function isPossible(operation: string | undefined, thread: string | undefined): boolean {
  if (operation === undefined) return false;
  if (thread === 'main') return operation === CALLBACK;
  if (thread === 'vcpu0' || thread === 'vcpu1') return Object.hasOwn(REQUESTS, operation);
  if (thread !== 'gateway') return false;
  if (Object.hasOwn(CONTROL_WORK, operation)) return true;
  return Object.hasOwn(REQUESTS, operation) && mayRunInline(REQUESTS[operation]);
}

/** Each of gateway and main loop has one operation, a manual clock has no callback of its own, and only it has steps. */
export function isConsistent({ prepared, operations }: Program): boolean {
  const count = (thread: ProgramThread) => operations.filter((other) => other.thread === thread).length;
  if (count('gateway') > 1 || count('main') > 1 || count('vcpu0') > 2 || count('vcpu1') > 2) return false;
  const isManual = prepared.machine?.clock === 'manual';
  if (isManual ? count('main') > 0 : operations.some(({ name }) => name === 'step')) return false;
  // The gateway has events and replies to deliver, and nothing else.
  if (prepared.hasGateway && (count('gateway') > 0 || operations.some(({ follows }) => follows))) return false;
  // The record after a step continues it: nothing else is behind it in its ring.
  const behind = (thread: ProgramThread) => operations.filter((other) => other.thread === thread).slice(0, -1);
  if ([...behind('vcpu0'), ...behind('vcpu1')].some(({ name }) => name === 'step')) return false;
  if (count('gateway') > 0 && operations.some(({ name, thread }) => name === 'step' && thread === 'vcpu1'))
    return false;
  // Only a vCPU waits for another thread, and only for a vCPU.
  return operations.every(
    ({ thread, follows }, i) => !follows || (thread === 'vcpu1' && operations[i - 1].thread === 'vcpu0' && i === 1),
  );
}

export function requestsOf({ operations }: Program, thread: ProgramThread): GuestRequest[] {
  return operations.filter((other) => other.thread === thread).map(({ name }) => REQUESTS[name]);
}

/** More than half of the programs have fewer, and take less time without a bound than with it. */
const UNBOUNDED_STATES = 20_000;

/** Whether control work of the scenario disarms timers, one by one. */
export function disarms({ control }: Scenario): boolean {
  return control !== undefined && [CONTROL_RESET, CONTROL_RESTORE, CONTROL_REMOVE].includes(control.work);
}

export function controlOf({ operations }: Program): ControlRequest | undefined {
  const { name } = operations.find(({ thread }) => thread === 'gateway') ?? {};
  return name !== undefined && Object.hasOwn(CONTROL_WORK, name) ? CONTROL_WORK[name] : undefined;
}

export function preparationOf(program: Program): readonly Preparation[] {
  const hasRestore = program.operations.some(({ name }) => name === 'restore');
  const save = hasRestore ? [{ work: CONTROL_SAVE, argument: 0 }] : [];
  // The main loop has seen what the preparation armed: it is idle as the threads begin.
  const isManual = program.prepared.machine?.clock === 'manual';
  const look = isManual ? [] : [{ mainLoopAt: program.prepared.idle }];
  return [...program.prepared.before, selectLine, ...look, ...save];
}

export function scenarioOf(program: Program): Scenario {
  const { name, prepared, operations } = program;
  const control = controlOf(program);
  const inline = control ? undefined : requestsOf(program, 'gateway').at(0);
  const vcpus = [requestsOf(program, 'vcpu0'), requestsOf(program, 'vcpu1')];
  if (vcpus[1].length === 0 && !inline) vcpus.pop();
  const isRestore = operations.some((operation) => operation.name === 'restore');
  return {
    name,
    description: `${prepared.description}; ${operations.map((operation) => `${operation.name} on ${operation.thread}`).join(', ')}`,
    machine: { quirks: QUIRKS, ...prepared.machine },
    before: preparationOf(program),
    times: [operations.some(({ thread }) => thread === 'main') ? prepared.due : prepared.idle],
    vcpus,
    // Where vCPU threads run callbacks, each of them does what the main loop does elsewhere.
    preemptions: ({ timer }) => (timer.kicks || prepared.hasGateway ? 1 : 2),
    unboundedStates: UNBOUNDED_STATES,
    ...(prepared.events && { events: prepared.events }),
    ...(prepared.hasGateway && { gateway: { execution: 'threads' as const }, framesHaveCome: true as const }),
    ...(control && { control: isRestore ? { ...control, argument: prepared.idle } : control }),
    program: { inline, isOrdered: operations.some(({ follows }) => follows) },
  };
}
