import { isDeepStrictEqual } from 'node:util';
import type { MachineConfig } from '../../config/machine.js';
import { EXTERNAL_BIT, HPET_BITS, LINES } from '../../core/devices/gsi/router.js';
import { CLOCK_END } from '../../core/machine/clock.js';
import { type SavedWord, savedDeadline, savedPlace, savedWords } from '../../core/machine/saved-state.js';
import { MAX_TIME } from '../../core/machine/steps.js';
import { STORM_TIMER, TIMER_COUNT } from '../../core/machine/timer-list.js';
import type { Memory } from '../../core/memory/memory.js';
import { SouthbridgeError } from '../../errors.js';
import { CLOSED } from '../../protocol/json/schemas.js';
import type { LineLevels } from '../../protocol/server-message.js';
import { Type } from '../../schema/type.js';
import { faultOfWord } from './saved-ranges.js';

/** Of the form of a snapshot; another is refused. */
export const SNAPSHOT_VERSION = 1;

/** The last number of an event: beyond it a float64 no longer counts. */
export const MAX_SEQUENCE = Number.MAX_SAFE_INTEGER;
/** The last deadline that a timer can have, in virtual ns; it is beyond the end of every clock. */
const MAX_DEADLINE = 2 ** 63;

const VirtualTime = Type.String({
  pattern: '^(0|[1-9][0-9]{0,18})$',
  description: 'Virtual time in nanoseconds.',
  examples: ['1000000'],
});

/** A machine at one moment, as JSON: docs/snapshots.md. */
export const SnapshotSchema = Type.Object(
  {
    version: Type.Integer({ description: 'Of this form: 1.' }),
    takenAt: Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' }),
    config: Type.Object({}, { additionalProperties: true, description: 'What the machine was made with.' }),
    virtualTime: VirtualTime,
    sequence: Type.String({ pattern: '^[0-9]{1,16}$', description: 'Number of the last event of the IRQ stream.' }),
    intr: Type.Enum([0, 1], { description: "Level of the 8259 pair's output." }),
    state: Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 0xffff_ffff }), {
      description: 'Registers and hidden state, words of 32 bits by name.',
    }),
    deadlines: Type.Array(Type.Union([Type.Null(), VirtualTime]), {
      description: 'Virtual time in ns at which each timer is due, or null: those of the HPET, then the storm timer.',
    }),
    order: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: STORM_TIMER }), {
        description: 'The timers that have a deadline, in the order in which they come due; without it, by number.',
      }),
    ),
  },
  CLOSED,
);

export interface Snapshot {
  readonly version: number;
  readonly takenAt: number;
  readonly config: { readonly [key: string]: unknown };
  readonly virtualTime: string;
  readonly sequence: string;
  readonly intr: 0 | 1;
  readonly state: { readonly [name: string]: number };
  readonly deadlines: readonly (string | null)[];
  /** Timers with a deadline, as they come due; older snapshots have none. */
  readonly order?: readonly number[];
}

/** What a machine was made with that its state depends on: a snapshot fits only a machine for which all are the same. */
const KEYS = ['clock', 'hpet', 'ioapic', 'pic', 'locking', 'xen', 'seqlock'] as const satisfies (keyof MachineConfig)[];

let words: readonly SavedWord[] | undefined;
let wordNames: ReadonlySet<string> | undefined;

/** The same as `savedWords`, computed once: every checkpoint asks for it, several times. */
function wordsOf(): readonly SavedWord[] {
  words ??= savedWords();
  return words;
}

/** Reads the state of a machine from the transfer area. */
export function readSaved(memory: Memory, at: number): Pick<Snapshot, 'virtualTime' | 'state' | 'deadlines' | 'order'> {
  return {
    virtualTime: String(memory.getTime(at)),
    state: Object.fromEntries(wordsOf().map(({ name, address }) => [name, memory.load(at + address) >>> 0])),
    deadlines: Array.from({ length: TIMER_COUNT }, (_, timer) => {
      const deadline = memory.getTime(at + savedDeadline(timer));
      return deadline < 0 ? null : String(deadline);
    }),
    order: PLACES.map((place) => memory.load(at + savedPlace(place)) - 1).filter((timer) => timer >= 0),
  };
}

/** The converse; what it writes was checked by `requireFits`. */
export function writeSaved(memory: Memory, at: number, snapshot: Snapshot): void {
  const { state, deadlines, order = byNumber(deadlines) } = snapshot;
  for (const { name, address } of wordsOf()) memory.store(at + address, state[name] | 0);
  for (const [timer, deadline] of deadlines.entries()) {
    memory.setTime(at + savedDeadline(timer), deadline === null ? -1 : Number(deadline));
  }
  for (const place of PLACES) memory.store(at + savedPlace(place), place < order.length ? 1 + order[place] : 0);
}

const PLACES = Array.from({ length: TIMER_COUNT }, (_, place) => place);

/** The timers that have a deadline. */
function byNumber(deadlines: Snapshot['deadlines']): number[] {
  return deadlines.flatMap((deadline, timer) => (deadline === null ? [] : [timer]));
}

/** Throws `snapshot-version`, `snapshot-of-another` or `bad-snapshot` unless the snapshot can be restored. */
export function requireFits(snapshot: Snapshot, config: MachineConfig): void {
  const { version, state, deadlines } = snapshot;
  if (version !== SNAPSHOT_VERSION)
    throw new SouthbridgeError('snapshot-version', { version, known: SNAPSHOT_VERSION });
  for (const key of KEYS) {
    if (isDeepStrictEqual(snapshot.config[key], config[key])) continue;
    throw new SouthbridgeError('snapshot-of-another', { machine: config.name, key });
  }
  wordNames ??= new Set(wordsOf().map(({ name }) => name));
  const names = wordNames;
  const unknown = Object.keys(state).find((name) => !names.has(name));
  if (unknown !== undefined) throw new SouthbridgeError('bad-snapshot', { what: `it has a word ${unknown}` });
  const missing = wordsOf().find(({ name }) => !Object.hasOwn(state, name));
  if (missing) throw new SouthbridgeError('bad-snapshot', { what: `the word ${missing.name} is missing` });
  const { timers } = config.hpet;
  for (const [name, value] of Object.entries(state)) {
    const what = faultOfWord(name, value, timers);
    if (what !== undefined) throw new SouthbridgeError('bad-snapshot', { what });
  }
  if (deadlines.length !== TIMER_COUNT) {
    throw new SouthbridgeError('bad-snapshot', { what: `it has ${deadlines.length} deadlines, not ${TIMER_COUNT}` });
  }
  const armed = byNumber(deadlines);
  const { order = armed } = snapshot;
  if (
    !isDeepStrictEqual(
      order.toSorted((a, b) => a - b),
      armed,
    )
  )
    throw new SouthbridgeError('bad-snapshot', { what: `its order [${order}] is not that of timers [${armed}]` });
  const stray = deadlines.findIndex((deadline, timer) => deadline !== null && timer >= timers && timer < STORM_TIMER);
  if (stray >= 0)
    throw new SouthbridgeError('bad-snapshot', { what: `it has a deadline of timer ${stray} of ${timers}` });
  const what = faultOfTimes(snapshot, config);
  if (what !== undefined) throw new SouthbridgeError('bad-snapshot', { what });
}

/** Where the clock of such a machine stops, in virtual ns. */
export function endOfClock({ clock }: MachineConfig): number {
  return clock === 'manual' ? MAX_TIME : CLOCK_END;
}

/** What is wrong with the numbers that only grow; all that a machine can come to is right, so that it can be saved again. */
function faultOfTimes({ virtualTime, deadlines, sequence }: Snapshot, config: MachineConfig): string | undefined {
  const end = endOfClock(config);
  if (Number(virtualTime) > end) return `its time is ${virtualTime} ns, and a ${config.clock} clock ends at ${end} ns`;
  if (Number(sequence) > MAX_SEQUENCE) return `its sequence is ${sequence}, and ${MAX_SEQUENCE} is the most it can be`;
  const late = deadlines.find((deadline) => deadline !== null && Number(deadline) > MAX_DEADLINE);
  return late ? `it has a deadline at ${late} ns, and ${MAX_DEADLINE} ns is the last there can be` : undefined;
}

/** The lines of a machine that was just restored. */
export function savedLines({ state }: Snapshot): LineLevels {
  const lines = { hpet: 0, external: 0 };
  for (let line = 0; line < LINES; line++) {
    const sources = state[`router.sources[${line}]`];
    if (sources & HPET_BITS) lines.hpet |= 1 << line;
    if (sources & EXTERNAL_BIT) lines.external |= 1 << line;
  }
  return { hpet: lines.hpet >>> 0, external: lines.external >>> 0 };
}
