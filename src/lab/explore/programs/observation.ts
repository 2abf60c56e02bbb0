import type { ReferenceEvent } from '../reference/events.js';
import type { MachineModel } from '../reference/machine.js';
import type { Application, Run } from '../reference/run.js';
import { STORM_TIMER } from '../reference/timers.js';

/** What a guest can observe of a machine at rest. The reference and the production code are read in the same terms. */
export interface DeviceState {
  readonly now: bigint;
  readonly configuration: number;
  readonly status: number;
  readonly counter: bigint;
  readonly timers: readonly {
    readonly configuration: number;
    readonly comparator: bigint;
    readonly period: bigint;
    readonly fsb: bigint;
  }[];
  readonly select: number;
  readonly requests: number;
  /** Halves of the redirection entries. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly intr: number;
  readonly chips: readonly {
    readonly irr: number;
    readonly imr: number;
    readonly isr: number;
    readonly elcr: number;
    readonly lowest: number;
  }[];
  /** Bit n: level of line n, by driver, and as the controllers see it. */
  readonly hpetLines: number;
  readonly externalLines: number;
  readonly inputs: number;
  /** Per timer; undefined if it is not armed. */
  readonly deadlines: readonly (bigint | undefined)[];
}

/** An outcome: what is observed, by name. */
export type Observation = Map<string, string>;

/** Lines 24 to 31 of the HPET go nowhere, so nothing sees their level. */
export const VISIBLE_LINES = 24;

export function stateOfModel(machine: MachineModel): DeviceState {
  const { hpet, ioapic, pic, timers, now, driven, inputs } = machine;
  return {
    now,
    configuration: hpet.configuration,
    status: hpet.status,
    counter: hpet.counterAt(now),
    timers: hpet.timers,
    select: ioapic.select,
    requests: ioapic.requests,
    low: ioapic.low,
    high: ioapic.high,
    intr: pic.intr,
    chips: [pic.master, pic.slave],
    hpetLines: driven.hpet,
    externalLines: driven.external,
    inputs,
    deadlines: Array.from({ length: STORM_TIMER + 1 }, (_, timer) => timers.deadlineOf(timer)),
  };
}

/** Names what is not 0, each under `prefix`. */
export function describeState(state: DeviceState, prefix: string, into: Observation): void {
  const add = (name: string, value: number | bigint) => {
    if (value) into.set(`${prefix}${name}`, typeof value === 'bigint' ? `${value}` : `0x${(value >>> 0).toString(16)}`);
  };
  add('virtual time', state.now);
  add('configuration', state.configuration);
  add('status', state.status);
  add('counter', state.counter);
  state.timers.forEach(({ configuration, comparator, period, fsb }, timer) => {
    add(`timer ${timer}.configuration`, configuration);
    add(`timer ${timer}.comparator`, comparator);
    add(`timer ${timer}.period`, period);
    add(`timer ${timer}.fsb`, fsb);
  });
  add('ioapic.select', state.select);
  add('ioapic.requests', state.requests);
  for (const [pin, half] of state.low.entries()) add(`entry ${pin}.low`, half);
  for (const [pin, half] of state.high.entries()) add(`entry ${pin}.high`, half);
  add('intr', state.intr);
  state.chips.forEach((chip, index) => {
    for (const register of ['irr', 'imr', 'isr', 'elcr', 'lowest'] as const) {
      add(`${index === 0 ? 'master' : 'slave'}.${register}`, chip[register]);
    }
  });
  add('lines of the HPET', state.hpetLines);
  add('external lines', state.externalLines);
  add('inputs', state.inputs);
  state.deadlines.forEach((deadline, timer) => {
    if (deadline !== undefined) into.set(`${prefix}deadline of timer ${timer}`, `${deadline}`);
  });
}

/**
 * Names the events. Where the controllers have locks of their own, events of different ones have no order. Where
 * a design may coalesce what a line does within one access, the changes of lines do not count.
 */
export function describeEvents(events: readonly ReferenceEvent[], application: Application, into: Observation): void {
  const isTotal = application === 'atomic' || application === 'inline' || application === 'deferred';
  for (const event of events) {
    if (application === 'revalidated' && event.kind === 'line') continue;
    const name = isTotal ? 'events' : `events: ${event.kind}`;
    into.set(name, `${into.get(name) ?? ''}${into.has(name) ? ', ' : ''}${eventText(event)}`);
  }
}

function eventText(event: ReferenceEvent): string {
  switch (event.kind) {
    case 'line':
      return `line ${event.line} ${event.driver} ${event.level}`;
    case 'apic': {
      const { pin, vector, destination, destinationMode, deliveryMode, trigger } = event;
      const modes = [destination, destinationMode, deliveryMode, trigger];
      return `message of pin ${pin}, vector ${vector}${modes.some(Boolean) ? ` (${modes})` : ''}`;
    }
    case 'msi':
      return `MSI of timer ${event.timer}, ${event.address.toString(16)}=${event.data.toString(16)}`;
    case 'intr':
      return `INTR ${event.level}`;
  }
}

/** What is observed at the end of a run of the reference. `replies`: what each thread of the program is called. */
export function observeRun(run: Run, names: readonly string[]): Observation {
  const observed: Observation = new Map();
  names.forEach((name, thread) => {
    for (const [i, reply] of run.turns[thread].replies.entries()) observed.set(`reply ${i} to ${name}`, reply);
  });
  describeEvents(run.machine.events, run.program.rules.application, observed);
  // Of a removed machine nothing can be observed any more.
  if (!run.isGone) describeState(stateOfModel(run.machine), '', observed);
  else observed.set('machine', 'removed');
  if (run.saved) describeState(stateOfModel(run.saved), 'saved ', observed);
  return observed;
}

export function observationKey(observed: Observation): string {
  return [...observed]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

/** Where two outcomes differ. */
export function observedDifferences(one: Observation, other: Observation): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names]
    .filter((name) => one.get(name) !== other.get(name))
    .map((name) => `${name} is ${one.get(name) ?? 0} and not ${other.get(name) ?? 0}`);
}
