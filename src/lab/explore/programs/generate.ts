import { PRESETS } from '../../../core/locking/presets.js';
import { type Footprint, footprintOf, isConflict } from './footprints.js';
import { CALLBACK, CONTROL_WORK, mayRunInline, REQUESTS } from './operations.js';
import { PREPARED } from './prepared.js';
import { isConsistent, type Program, type ProgramOperation, type ProgramThread, programOf } from './program.js';

/** The programs of a prepared machine, and how many were left out. */
export interface Generated {
  readonly machine: string;
  readonly programs: readonly Program[];
  /** Programs in which no two operations conflict: their footprints share no word. */
  readonly unrelated: number;
  /** Programs that are others with the two vCPUs exchanged. */
  readonly symmetric: number;
}

/** What fills a nearly full event ring, or empties it. */
const RING_REQUESTS = ['line-up', 'line-down', 'write-due', 'write-other', 'turn-off', 'write-comparator'];

/** What shows that an operation that has returned has happened. */
const WITNESSES = [
  'read-status',
  'read-comparator',
  'read-entry',
  'read-pic',
  'inta',
  'write-status',
  'write-comparator',
];

function at(name: string, thread: ProgramThread, follows = false): ProgramOperation {
  return { name, thread, follows };
}

/** Requests of a prepared machine. */
function requestsFor(machine: string): string[] {
  if (PREPARED[machine].hasGateway) return RING_REQUESTS;
  const isManual = PREPARED[machine].machine?.clock === 'manual';
  return Object.keys(REQUESTS).filter((name) => isManual || name !== 'step');
}

/** Operations beside those of vCPU 0: on the gateway, or the callback. */
function othersFor(machine: string): ProgramOperation[] {
  if (PREPARED[machine].hasGateway) return [at(CALLBACK, 'main')];
  const inline = requestsFor(machine).filter((name) => mayRunInline(REQUESTS[name]));
  const gateway = [...Object.keys(CONTROL_WORK), ...inline].map((name) => at(name, 'gateway'));
  return PREPARED[machine].machine?.clock === 'manual' ? gateway : [at(CALLBACK, 'main'), ...gateway];
}

function pairsOf(machine: string): ProgramOperation[][] {
  const requests = requestsFor(machine);
  const others = othersFor(machine);
  const hasCallback = others.some(({ thread }) => thread === 'main');
  const callback = hasCallback ? [at(CALLBACK, 'main')] : [];
  return [
    ...requests.flatMap((one, i) => requests.slice(i).map((other) => [at(one, 'vcpu0'), at(other, 'vcpu1')])),
    ...requests.flatMap((one) => others.map((other) => [at(one, 'vcpu0'), other])),
    ...others.filter(({ thread }) => hasCallback && thread === 'gateway').map((other) => [other, ...callback]),
    // In real-time order, beside a callback.
    ...requests
      .filter((one) => !one.startsWith('read-'))
      .flatMap((one) => WITNESSES.map((other) => [at(one, 'vcpu0'), at(other, 'vcpu1', true), ...callback])),
  ];
}

/** Each pair of operations beside each third one. */
function triplesOf(machine: string): ProgramOperation[][] {
  const requests = requestsFor(machine);
  const others = othersFor(machine);
  return requests.flatMap((one, i) =>
    requests.slice(i).flatMap((other) => others.map((third) => [at(one, 'vcpu0'), at(other, 'vcpu1'), third])),
  );
}

const footprints = new Map<string, Footprint>();

/** Footprints do not depend on the design, but for locks; this one has all of them. */
function footprint(machine: string, operation: string): Footprint {
  const key = `${machine} ${operation}`;
  const known = footprints.get(key) ?? footprintOf(machine, operation, PRESETS['lockless-irq']);
  footprints.set(key, known);
  return known;
}

/** Whether each operation conflicts with another one of the program. */
function areRelated(machine: string, operations: readonly ProgramOperation[]): boolean {
  if (PREPARED[machine].hasGateway) return true;
  return operations.every(({ name }, i) =>
    operations.some((other, j) => i !== j && isConflict(footprint(machine, name), footprint(machine, other.name))),
  );
}

export function generate(machine: string, triples = false): Generated {
  const all = (triples ? triplesOf(machine) : pairsOf(machine))
    .map((operations) => programOf(machine, operations))
    .filter(isConsistent);
  const programs = all.filter(({ operations }) => areRelated(machine, operations));
  const requests = requestsFor(machine).length;
  const symmetric = ((requests * (requests - 1)) / 2) * (triples ? othersFor(machine).length : 1);
  return { machine, programs, unrelated: all.length - programs.length, symmetric };
}
