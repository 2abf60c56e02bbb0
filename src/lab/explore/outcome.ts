import { CONTROL_SAVE } from '../../core/machine/control-path.js';
import { unpackEvent } from '../../core/machine/events.js';
import { savedDeadline } from '../../core/machine/saved-state.js';
import { TIMER_COUNT } from '../../core/machine/timer-list.js';
import { HPET_AREA, IOAPIC_AREA, LOCAL_APIC_AREA, PIC_AREA, ROUTER_AREA } from '../../core/memory/map.js';
import { EventRing } from '../../runtime/events/event-ring.js';
import { submissionRingAt } from '../../runtime/memory/shared-map.js';
import { SubmissionRing } from '../../runtime/rings/submission-ring.js';
import { armedDeadline } from './armed-deadline.js';
import type { Fixture } from './fixture.js';
import { Sockets } from './sockets.js';
import { StateView } from './state-view.js';
import type { System } from './system.js';

/**
 * The outcome of a run, by name: every register and hidden field of the devices, every armed deadline, the answers, and
 * the counts of edges and MSIs. Transient levels are not part of it, because designs may coalesce them.
 */
export type Outcome = Map<string, number>;

const DEVICE_STATE = new Set(['hpet', 'router', 'ioapic', 'pic']);

export function outcomeOf(fixture: Fixture, system: System): Outcome {
  const outcome: Outcome = new Map();
  const { machine } = fixture.names;
  for (const area of [HPET_AREA, ROUTER_AREA, IOAPIC_AREA, PIC_AREA, LOCAL_APIC_AREA]) {
    for (let word = area.start; word < area.end; word++) {
      const field = area.field(word);
      if (!field || !DEVICE_STATE.has(field.protection)) continue;
      const value = system.state.get(machine + word);
      if (value !== 0) outcome.set(field.name, value);
    }
  }
  addDeadlines(outcome, fixture, system);
  addAnswers(outcome, fixture, system);
  addSaved(outcome, fixture, system);
  addMessages(outcome, fixture, system);
  return outcome;
}

function addDeadlines(outcome: Outcome, { names }: Fixture, { state }: System): void {
  for (let timer = 0; timer < TIMER_COUNT; timer++) {
    const deadline = armedDeadline(names, state, timer);
    if (deadline !== undefined) outcome.set(`timers.timer[${timer}].deadline`, deadline);
  }
}

/** The device state in a snapshot. */
function addSaved(outcome: Outcome, { scenario, map }: Fixture, { state }: System): void {
  if (scenario.control?.work !== CONTROL_SAVE) return;
  for (const area of [HPET_AREA, ROUTER_AREA, IOAPIC_AREA, PIC_AREA]) {
    for (let word = area.start; word < area.end; word++) {
      const field = area.field(word);
      if (field && DEVICE_STATE.has(field.protection))
        outcome.set(`saved ${field.name}`, state.get(map.transfer + word));
    }
  }
  for (let timer = 0; timer < TIMER_COUNT; timer++) {
    outcome.set(`saved deadline ${timer}`, state.getTime(map.transfer + savedDeadline(timer)));
  }
}

function addAnswers(outcome: Outcome, { scenario, map }: Fixture, { state }: System): void {
  const memory = new StateView(state, 0);
  if (scenario.gateway) {
    const sockets = new Sockets(map, memory);
    scenario.vcpus.forEach((frames, vcpu) => {
      frames.forEach((_, frame) => {
        const answer = sockets.isAnswered(vcpu, frame) ? sockets.value(vcpu, frame) : -1;
        outcome.set(`vCPU ${vcpu}.answer[${frame}]`, answer);
      });
    });
    return;
  }
  for (const [vcpu, requests] of scenario.vcpus.entries()) {
    const ring = new SubmissionRing(memory, submissionRingAt(map, vcpu), map.submissions);
    outcome.set(`vCPU ${vcpu}.answered`, ring.completed());
    for (let position = 0; position < Math.min(requests.length, ring.completed()); position++) {
      outcome.set(`vCPU ${vcpu}.answer[${position}]`, ring.high(position) * 2 ** 32 + ring.low(position));
    }
  }
}

function addMessages(outcome: Outcome, { map }: Fixture, { state }: System): void {
  const ring = new EventRing(new StateView(state, 0), map.eventRing, map.events, 1);
  ring.drain(map.events, (_, words) => {
    const event = unpackEvent(words);
    const count = (name: string) => outcome.set(name, (outcome.get(name) ?? 0) + 1);
    if (event.kind === 'msi') count(`MSIs of timer ${event.timer}`);
    else if (event.kind === 'apic' && !event.trigger) count(`edges of pin ${event.pin}, vector ${event.vector}`);
  });
}

/** Where two outcomes differ, as `name: one, other`. */
export function differences(one: Outcome, other: Outcome): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  const differing = [...names].filter((name) => (one.get(name) ?? 0) !== (other.get(name) ?? 0));
  return differing.map((name) => {
    const values = [one.get(name) ?? 0, other.get(name) ?? 0];
    // Hexadecimal shows which half of a 64-bit value differs.
    const [is, not] = values.some((value) => value >= 2 ** 32)
      ? values.map((value) => `0x${value.toString(16)}`)
      : values;
    return `${name} is ${is} and not ${not}`;
  });
}

export function outcomeKey(outcome: Outcome): string {
  return [...outcome].map(([name, value]) => `${name}=${value}`).join('\n');
}
