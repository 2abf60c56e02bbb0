import t from 'tap';
import { LINES } from '../../src/core/devices/gsi/router.js';
import { HPET_BASE } from '../../src/core/devices/guest-map.js';
import { GENERAL_CONFIGURATION, INTERRUPT_STATUS } from '../../src/core/devices/hpet/registers.js';
import { PROFILES, type Profile } from '../../src/core/devices/quirks.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../src/core/locking/presets.js';
import { classOfPreset } from '../../src/core/locking/verdicts.js';
import { savedWords } from '../../src/core/machine/saved-state.js';
import { type BenchEvent, BenchMachine } from '../support/bench-machine.js';
import { Random, seed } from '../support/random.js';
import { type Operation, perform, randomOperation } from '../support/random-access.js';
import { tier } from '../support/tier.js';

/**
 * One thread makes the same random accesses under every design of class safe: the same values are read, and the same
 * comes out, in the same order. Where nobody contends, the locks must not be seen.
 */
const SAFE = PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe');
const CONTROLLER_WORDS = savedWords().filter(({ name }) => /^(ioapic|pic)\./.test(name));
/** Operations per machine: bounded, so that a dead-end state (all masked, HPET off) does not last indefinitely. */
const OPERATIONS_EACH = 2_000;

interface Life {
  readonly seed: number;
  readonly profile: Profile;
  readonly timers: number;
  readonly msi: boolean;
}

function life(seed: number): Life {
  const random = new Random(seed ^ 0x5eed);
  const profiles = Object.keys(PROFILES) as Profile[];
  const profile = profiles[random.below(profiles.length)];
  return { seed, profile, timers: [3, 4, 24][random.below(3)], msi: random.below(2) === 1 };
}

function make({ profile, timers, msi }: Life, locking: PresetName): BenchMachine {
  return new BenchMachine({ locking, profile, hpet: { timers, msi } });
}

interface Comparison {
  /** Null if all is the same; else what is not. */
  readonly difference: string | null;
  readonly events: number;
  /** Made under every design. */
  readonly accesses: number;
}

function compare(own: Life): Comparison {
  const random = new Random(own.seed);
  const reference = make(own, SAFE[0]);
  const others = new Map(SAFE.slice(1).map((name) => [name, make(own, name)]));
  let events = 0;
  let accesses = 0;
  for (let count = 0; count < OPERATIONS_EACH; count++) {
    const operation = randomOperation(random);
    const result = perform(reference, operation);
    const emitted = reference.takeEvents();
    events += emitted.length;
    if ((operation.op === 'read' || operation.op === 'write') && others.size === SAFE.length - 1) accesses++;
    for (const [name, bench] of others) {
      const got = perform(bench, operation);
      const gotEmitted = bench.takeEvents();
      const mayDiffer = mayCoalesce(name, operation);
      const difference =
        differ(result, got) ??
        differ(emitted.map(show), gotEmitted.map(show)) ??
        // A missing event shows up later, as an edge that an 8259A latches while its pin is masked.
        (mayDiffer ? differ(controllers(reference), controllers(bench)) : null);
      if (difference === null) continue;
      if (mayDiffer && differ(levels(reference), levels(bench)) === null) others.delete(name);
      else
        return {
          difference: `seed ${own.seed}, ${count}: ${show(operation)}: ${name} ${difference}`,
          events,
          accesses,
        };
    }
  }
  return { difference: null, events, accesses };
}

function differ(expected: string | readonly string[], got: string | readonly string[]): string | null {
  return String(expected) === String(got) ? null : `has ${got || 'nothing'}, ${SAFE[0]} ${expected || 'nothing'}`;
}

/**
 * A write of the general configuration or of the interrupt status register, and reset, change several lines at once.
 * Under `revalidated` those that cancel each other there go unseen, and the others may come in another order, or be emitted
 * as of another source; the levels have to be right. From then on the controllers may differ, since they saw something
 * else: such a machine is compared no further.
 */
function mayCoalesce(locking: PresetName, operation: Operation): boolean {
  if (!PRESETS[locking].irq.coalesces) return false;
  if (operation.op !== 'write') return operation.op === 'reset';
  const offset = operation.address - HPET_BASE;
  return [GENERAL_CONFIGURATION, INTERRUPT_STATUS].some(
    (register) => offset > register - operation.size && offset < register + 8,
  );
}

/** All state of the IOAPIC and the 8259As. */
function controllers({ machine }: BenchMachine): string[] {
  return CONTROLLER_WORDS.map(({ name, address }) => `${name} ${machine.memory.load(address)}`);
}

function levels({ machine }: BenchMachine): string[] {
  return Array.from({ length: LINES }, (_, line) => String(machine.chipset.router.level(line)));
}

function show(value: Operation | BenchEvent): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));
}

t.test(`random accesses are equal under ${SAFE.join(', ')}`, async (t) => {
  const first = seed();
  t.comment(`TEST_SEED=${first}`);
  let accesses = 0;
  let events = 0;
  for (let next = first; accesses < tier.differentialAccesses; next++) {
    const result = compare(life(next));
    accesses += result.accesses;
    events += result.events;
    if (result.difference === null) continue;
    t.fail(result.difference);
    return;
  }
  t.ok(accesses >= tier.differentialAccesses, `${accesses} accesses under each of ${SAFE.length} designs`);
  t.ok(events > accesses / 20, `${events} events`);
});
