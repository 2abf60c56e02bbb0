import { GsiRouter } from '../../../core/devices/gsi/router.js';
import { SOURCE_EXTERNAL } from '../../../core/devices/gsi/sources.js';
import { MainCounter } from '../../../core/devices/hpet/main-counter.js';
import * as S from '../../../core/devices/hpet/state.js';
import * as P from '../../../core/devices/i8259/state.js';
import { Clock } from '../../../core/machine/clock.js';
import { isAlive } from '../../../core/machine/configuration.js';
import { CONTROL_SAVE } from '../../../core/machine/control-path.js';
import { unpackEvent } from '../../../core/machine/events.js';
import { savedDeadline } from '../../../core/machine/saved-state.js';
import { TIMER_COUNT } from '../../../core/machine/timer-list.js';
import type { EventWords } from '../../../core/memory/event-words.js';
import { IOAPIC_AREA } from '../../../core/memory/map.js';
import { U64 } from '../../../core/memory/u64.js';
import { EventRing } from '../../../runtime/events/event-ring.js';
import { submissionRingAt } from '../../../runtime/memory/shared-map.js';
import { CANCELLED, GONE, OK, STEP, STEPPING, SubmissionRing } from '../../../runtime/rings/submission-ring.js';
import { armedDeadline } from '../armed-deadline.js';
import type { Fixture } from '../fixture.js';
import type { ReferenceEvent } from '../reference/events.js';
import type { Application } from '../reference/run.js';
import type { ProgramParts } from '../scenario.js';
import { INLINE_SOCKET, Sockets } from '../sockets.js';
import { StateView } from '../state-view.js';
import type { System } from '../system.js';
import { type DeviceState, describeEvents, describeState, type Observation, VISIBLE_LINES } from './observation.js';
import { disarms } from './program.js';

/** What a guest can observe of the production code at rest. */
export function observeSystem(fixture: Fixture, system: System, application: Application): Observation {
  const { scenario, names, map } = fixture;
  const { program: parts } = scenario;
  if (!parts) throw new Error(`${scenario.name} is not a generated program`);
  const { times, now } = system.execution.clock;
  const view = new StateView(system.state, times[now]);
  const observed: Observation = new Map();
  addReplies(fixture, parts, new StateView(system.state, 0), observed);
  describeEvents(eventsOf(fixture, system), application, observed);
  view.select(names.machine);
  if (isAlive(view)) {
    const deadline = (timer: number) => armedDeadline(names, system.state, timer);
    describeState(stateOf(view, new Clock(view).now(), deadline), '', observed);
  } else observed.set('machine', 'removed');
  if (scenario.control?.work === CONTROL_SAVE) {
    view.select(map.transfer);
    const time = system.state.getTime(map.transfer);
    const deadline = (timer: number) => {
      const saved = system.state.getTime(map.transfer + savedDeadline(timer));
      return saved < 0 ? undefined : saved;
    };
    describeState(stateOf(view, time, deadline), 'saved ', observed);
  }
  return observed;
}

function addReplies({ scenario, map }: Fixture, { inline }: ProgramParts, view: StateView, into: Observation): void {
  const sockets = new Sockets(map, view);
  const isInline = inline !== undefined && sockets.isAnswered(INLINE_SOCKET, 0);
  scenario.vcpus.forEach((requests, vcpu) => {
    const ring = new SubmissionRing(view, submissionRingAt(map, vcpu), map.submissions);
    const isLast = vcpu === scenario.vcpus.length - 1;
    const own = requests.length + (isLast && inline && !isInline ? 1 : 0);
    for (let position = 0; position < own; position++) {
      const name = position < requests.length ? `reply ${position} to vcpu${vcpu}` : 'reply 0 to gateway';
      const reply = scenario.gateway ? frameReply(sockets, vcpu, position) : ringReply(ring, position);
      const isAnyDeadline = requests.at(position)?.operation === STEP && disarms(scenario);
      into.set(name, isAnyDeadline ? reply.replace(/^ok .*/, 'ok') : reply);
    }
  });
  if (isInline) into.set('reply 0 to gateway', `ok ${sockets.wide(INLINE_SOCKET, 0)}`);
}

function frameReply(sockets: Sockets, vcpu: number, frame: number): string {
  return sockets.isAnswered(vcpu, frame) ? `ok ${sockets.wide(vcpu, frame)}` : 'none';
}

function ringReply(ring: SubmissionRing, position: number): string {
  if (position >= ring.completed()) return 'none';
  const value = (BigInt(ring.high(position)) << 32n) | BigInt(ring.low(position));
  switch (ring.status(position)) {
    case OK:
      return `ok ${value}`;
    case GONE:
      return 'gone';
    case STEPPING:
      // A step is the last request of its vCPU. The next record continues it.
      return ringReply(ring, position + 1);
    case CANCELLED:
      return `cancelled at ${value}`;
    default:
      return `status ${ring.status(position)}`;
  }
}

/** The events of the run, delivered or not. */
function eventsOf({ scenario, map }: Fixture, { state }: System): ReferenceEvent[] {
  const view = new StateView(state, 0);
  const events: ReferenceEvent[] = [];
  if (scenario.gateway) for (const words of new Sockets(map, view).logged()) add(words, events);
  const ring = new EventRing(view, map.eventRing, map.events, 1);
  ring.drain(map.events, (_, words) => add(words, events));
  return events;
}

function add(words: Readonly<EventWords>, into: ReferenceEvent[]): void {
  const event = unpackEvent(words);
  if (event.kind === 'line') {
    const driver = words.cause === SOURCE_EXTERNAL ? 'external' : 'hpet';
    into.push({ kind: 'line', line: event.gsi, level: event.level, driver });
  } else if (event.kind !== 'address') into.push(event);
}

/** The devices, by production code and field names. */
function stateOf(view: StateView, now: number, deadline: (timer: number) => number | undefined): DeviceState {
  const hpet = new S.HpetState(view);
  const counter = new U64();
  new MainCounter(view).valueAt(counter, now);
  const wide = (timer: number, field: number) => hpet.load(timer, field, new U64()).toBigInt();
  const router = new GsiRouter(view, { lineChanged() {}, driveInput() {} });
  const lines = (level: (line: number) => boolean) =>
    Array.from({ length: VISIBLE_LINES }, (_, line) => (level(line) ? 1 << line : 0)).reduce(
      (all, bit) => all | bit,
      0,
    );
  return {
    now: BigInt(now),
    configuration: view.get(S.CONFIGURATION),
    status: view.get(S.STATUS),
    counter: counter.toBigInt(),
    timers: [0, 1, 2].map((timer) => ({
      configuration: hpet.get(timer, S.T_CONFIGURATION),
      comparator: wide(timer, S.T_COMPARATOR),
      period: wide(timer, S.T_PERIOD),
      fsb: wide(timer, S.T_FSB_DATA),
    })),
    ...ioapicOf(view),
    ...picOf(view),
    hpetLines: lines((line) => router.hpetSources(line) !== 0),
    externalLines: lines((line) => ((router.sources(line) >> SOURCE_EXTERNAL) & 1) !== 0),
    inputs: lines((line) => router.level(line) !== 0),
    deadlines: Array.from({ length: TIMER_COUNT }, (_, timer) => {
      const armed = deadline(timer);
      return armed === undefined ? undefined : BigInt(armed);
    }),
  };
}

const ioapicWords = new Map(IOAPIC_AREA.addresses().map((address) => [IOAPIC_AREA.field(address)?.name, address]));

function ioapicOf(view: StateView) {
  const word = (name: string) => view.get(ioapicWords.get(`ioapic.${name}`) as number);
  const half = (name: string) => Array.from({ length: 24 }, (_, pin) => word(`entry.${name}[${pin}]`));
  return { select: word('select'), requests: word('requests'), low: half('low'), high: half('high') };
}

function picOf(view: StateView) {
  const chips = [P.MASTER, P.SLAVE].map((at) => ({
    irr: view.get(at + P.C_EDGES),
    imr: view.get(at + P.C_IMR),
    isr: view.get(at + P.C_ISR),
    elcr: view.get(at + P.C_ELCR),
    lowest: view.get(at + P.C_LOWEST),
  }));
  return { intr: view.get(P.INTR), chips };
}
