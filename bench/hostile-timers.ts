import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROFILES, quirkBits } from '../src/core/devices/quirks.js';
import { PRESETS } from '../src/core/locking/presets.js';
import { Engine } from '../src/runtime/engine.js';
import type { MachineEvent } from '../src/runtime/events/event-ring.js';
import type { MachineSlot } from '../src/runtime/machine-slot.js';
import { Request } from '../src/runtime/rings/requests.js';
import { WRITE } from '../src/runtime/rings/submission-ring.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
} from '../test/support/guest.js';
import { alternate, median } from './measure.js';
import { type Row, row } from './rows.js';

const [VICTIM, HOSTILE] = [0, 1];
const ROUND_MS = 500;
/** Ticks of 10 ns: a millisecond, and a microsecond, less than which a guest may not ask for. */
const VICTIM_PERIOD = 100_000;
const SHORTEST_PERIOD = 100;
const TIMERS = 24;

/**
 * What another machine, all of whose timers have the shortest period, adds to the lateness at 1 kHz. Both machines are in this
 * process: with a client for the victim, three threads would share two cores, and the figure would be the scheduler's.
 */
export async function besideHostile(): Promise<Row[]> {
  const engine = new Engine({ vcpuThreads: 1, machines: 2 });
  await engine.start();
  const histogram = createHistogram({ lowest: 1, highest: 60e9, figures: 3 });
  const victim = newMachine(engine, VICTIM, ({ deadline, virtualTime }) => {
    if (deadline >= 0) histogram.record(Math.max(1, virtualTime - deadline));
  });
  const hostile = newMachine(engine, HOSTILE, () => {});
  await startTimer(victim, 0, VICTIM_PERIOD);
  for (let timer = 0; timer < TIMERS; timer++) await startTimer(hostile, timer, SHORTEST_PERIOD);
  await write(victim, GENERAL_CONFIGURATION, 1);
  const p99 = async (isOn: boolean) => {
    await write(hostile, GENERAL_CONFIGURATION, isOn ? 1 : 0);
    histogram.reset();
    await sleep(ROUND_MS);
    return histogram.percentile(99) / 1e6;
  };
  const { own, first, second } = await alternate(
    () => p99(false),
    () => p99(true),
    { warmUp: 1 },
  );
  await engine.close();
  const name = 'timer at 1 kHz beside a hostile machine: what that adds to lateness p99';
  const added = median(own) - median([...first, ...second]);
  return [row(name, Math.max(0, added), 'ms', { better: 'lower', target: 2 })];
}

function newMachine(engine: Engine, slot: number, onEvent: (event: MachineEvent) => void): MachineSlot {
  const machine = engine.slot(slot);
  machine.create(
    {
      slot,
      design: PRESETS['lockless-timer'],
      clock: 'realtime',
      hpet: { timers: TIMERS, msi: false, routingCapability: 0x00ff_ffff },
      ioapic: { version: 0x20, id: 0 },
      quirks: quirkBits(PROFILES.standard),
      generationCheck: true,
      countOverlap: false,
    },
    onEvent,
  );
  return machine;
}

async function startTimer(machine: MachineSlot, timer: number, period: number): Promise<void> {
  await write(machine, timerConfiguration(timer), route(timer) | ENABLE | PERIODIC | VALUE_SET);
  for (let half = 0; half < 2; half++) await write(machine, timerComparator(timer), period);
}

function write(machine: MachineSlot, address: number, value: number): Promise<void> {
  return new Promise((resolve) => {
    machine.perform(new Request(machine.slot, 0, WRITE, 8, address, value, 0, () => resolve()));
  });
}
