import { EXTERNAL_BIT, INPUT_LEVEL } from '../../../core/devices/gsi/router.js';
import { LOCK_NAMES } from '../../../core/sync/lock-names.js';
import type { Replayed, ReplayedFinding } from '../replay.js';
import type { Scenario } from '../scenario.js';
import type { LockAction, TimelineEntry } from '../timeline.js';
import { requestAsNoun, requestInWords } from './guest.js';
import { qemuFunction, qemuLock } from './qemu-names.js';

/** A caller of a step, with the function of QEMU that it stands for. */
export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly qemu?: string;
}

export interface MemoryChange {
  readonly word: string;
  readonly from: number;
  readonly to: number;
}

/** One step of a counterexample. All of it is plain JSON. */
export interface Step {
  /** From 1. Absent for a detail: a lock or word that no other thread competes for. */
  readonly number?: number;
  /** Index of the thread; −1 for the outcome, once all threads are at rest. */
  readonly thread: number;
  readonly text: string;
  /** The lock that the thread takes, releases or waits for, with its name in QEMU. */
  readonly lock?: { readonly action: LockAction; readonly name: string; readonly qemu: string };
  readonly memory: readonly MemoryChange[];
  /** The functions of QEMU on this path, outermost first. */
  readonly qemu: readonly string[];
  /** The callers here, innermost first. */
  readonly source: readonly Frame[];
  /** The locks that each thread holds after the step, by index of the thread. */
  readonly held: readonly (readonly string[])[];
  /** What the guest does or sees. */
  readonly guest?: string;
  /** The step accesses the word that the finding is about, without synchronisation. */
  readonly racy?: true;
  /** The property that this step violates. */
  readonly violates?: string;
}

interface Draft extends Step {
  readonly isDetail: boolean;
}

/** Locks below BQL and device mutex: taking one is a detail unless another thread competes. */
const LEAF_LOCKS: readonly string[] = LOCK_NAMES.slice(2);
/** The areas of the memory map that a guest can observe. */
const DEVICE_WORD = /^(hpet|router|ioapic|pic)\./;

/** The steps of a schedule that leads to a finding. */
export function stepsOf(
  { threads, timeline }: Pick<Replayed, 'threads' | 'timeline'>,
  scenario: Scenario,
  { kind, summary, word, at, isOutcome }: ReplayedFinding,
): Step[] {
  const held: (readonly string[])[] = threads.map(() => []);
  const requests = new Requests(threads, scenario);
  const drafts: Draft[] = [];
  for (const [index, entry] of timeline.entries()) {
    if (!entry.isPending) held[entry.thread] = entry.holds;
    const violates = at.includes(index) ? summary : undefined;
    const guest = requests.of(entry) ?? entry.event;
    const isAbout = entry.racy ? entry.word === word || !word : kind === 'race' && entry.word === word;
    const draft = draftOf(entry, { held: [...held], guest, violates, isAbout });
    if (draft) add(drafts, draft);
  }
  if (isOutcome) drafts.push(outcome(summary, held));
  let number = 0;
  return drafts.map(({ isDetail, ...step }) => (isDetail ? step : { number: ++number, ...step }));
}

function outcome(summary: string, held: readonly (readonly string[])[]): Draft {
  const empty = { memory: [], qemu: [], source: [], held: [...held] };
  return { ...empty, thread: -1, text: `at rest: ${summary}`, violates: summary, isDetail: false };
}

interface Circumstances {
  readonly held: Step['held'];
  readonly guest: string | undefined;
  readonly violates: string | undefined;
  /** Whether the finding is about the word. */
  readonly isAbout: boolean;
}

/** Undefined for an action that is no step. */
function draftOf(entry: TimelineEntry, { held, guest, violates, isAbout }: Circumstances): Draft | undefined {
  const { thread, lock, word, value, from } = entry;
  const changes = from !== undefined && !lock && !/^(submissionRings|eventRing|locks)\b/.test(word);
  if (entry.isPending && !violates && entry.action !== 'stuck') return undefined;
  const isAccess = entry.plain && isAbout;
  if (!lock && !changes && !guest && !violates && !isAccess) return undefined;
  const source = entry.source.map(frameOf);
  return {
    thread,
    text: guest ?? textOf(entry),
    ...(lock && { lock: { action: lock, name: word, qemu: qemuLock(word) } }),
    memory: changes && entry.plain ? [{ word, from, to: value }] : [],
    qemu: qemuPath(source),
    source,
    held,
    ...(guest && { guest }),
    ...(isAccess && { racy: true as const }),
    ...(violates && { violates }),
    isDetail: !violates && !guest && !isAccess && (lock ? isLeaf(word, lock) : !DEVICE_WORD.test(word)),
  };
}

function isLeaf(word: string, action: LockAction): boolean {
  return LEAF_LOCKS.includes(word) && (action === 'takes' || action === 'releases');
}

/** Words whose change says what happened. */
const MEANINGS: { readonly [word: string]: string } = {
  'deferred.inverted[0]': 'applies a line change that is older than the last one',
  'deferred.late[0]': 'applies a line change that its source has withdrawn',
};

function textOf({ action, lock, word, value, from, isPending, plain }: TimelineEntry): string {
  if (from !== undefined && Object.hasOwn(MEANINGS, word)) return MEANINGS[word];
  if (action === 'stuck') return lock ? `waits for ${word}` : `spins on ${word}`;
  const next = isPending ? 'is about to ' : '';
  if (lock) return next ? `${next}take ${word}` : `${lock} ${word}`;
  if (!plain) return next ? `${next}access ${word}` : `${action} ${word}`;
  const [verb, changed] = action.startsWith('set') ? ['write', from !== undefined] : ['read', false];
  const values = changed ? `${shown(word, from as number)} → ${shown(word, value)}` : shown(word, value);
  return next ? `${next}${verb} ${word}` : `${verb}s ${word} ${values}`;
}

/** A value as its word is best read: the sources of a line as a set with their level. */
function shown(word: string, value: number): string {
  if (!/^router\.sources/.test(word)) return `${value}`;
  const level = value & INPUT_LEVEL ? 'high' : 'low';
  const sources: string[] = [];
  for (let source = 0; 1 << source < EXTERNAL_BIT; source++) if (value & (1 << source)) sources.push(`${source}`);
  if (value & EXTERNAL_BIT) sources.push('external');
  return `${level}${sources.length ? ` (${sources.join()})` : ''}`;
}

function frameOf(source: string): Frame {
  const [, file = source, line = '0', name = ''] = /^(\S+):(\d+)(?: (.*))?$/.exec(source) ?? [];
  const qemu = qemuFunction(file, name);
  return { file, line: Number(line), function: name, ...(qemu && { qemu }) };
}

function qemuPath(source: readonly Frame[]): string[] {
  const names = source.flatMap(({ qemu }) => qemu ?? []).reverse();
  return names.filter((name, index) => name !== names[index - 1]);
}

/** Joins consecutive writes of one function. */
function add(drafts: Draft[], draft: Draft): void {
  const last = drafts.at(-1);
  const joins =
    last &&
    isWriteOnly(last) &&
    isWriteOnly(draft) &&
    last.thread === draft.thread &&
    last.isDetail === draft.isDetail &&
    last.source[0]?.function === draft.source[0]?.function;
  if (!joins) drafts.push(draft);
  else {
    const text = `${last.text}, ${draft.text.replace(/^writes /, '')}`;
    drafts[drafts.length - 1] = { ...last, memory: [...last.memory, ...draft.memory], text, held: draft.held };
  }
}

function isWriteOnly({ lock, guest, violates, racy, memory }: Draft): boolean {
  return !lock && !guest && !violates && !racy && memory.length > 0;
}

/** Finds where each vCPU thread begins and answers a request. */
class Requests {
  /** Per thread: the requests that it began, and those that it answered. */
  readonly #begun: number[];
  readonly #answered: number[];

  constructor(
    readonly threads: readonly string[],
    readonly scenario: Scenario,
  ) {
    this.#begun = threads.map(() => 0);
    this.#answered = threads.map(() => 0);
  }

  of({ thread, source, action, plain }: TimelineEntry): string | undefined {
    const vcpu = Number(/^vCPU (\d+)$/.exec(this.threads[thread])?.[1] ?? -1);
    // With a gateway, some requests never reach the thread's ring.
    if (vcpu < 0 || this.scenario.gateway) return undefined;
    const answered = this.#answered[thread];
    const request = this.scenario.vcpus[vcpu]?.[answered];
    if (!request) return undefined;
    if (plain && /SubmissionRing\.take$/.test(source[0] ?? '') && this.#begun[thread] === answered) {
      this.#begun[thread]++;
      return `guest ${requestInWords(request)}`;
    }
    if (action !== 'store' || !/SubmissionRing\.complete$/.test(source[0] ?? '')) return undefined;
    this.#answered[thread]++;
    return `${requestAsNoun(request)} returns`;
  }
}

/** The innermost source line of a step: `state.ts:97 HpetState.setPending`. Empty for the outcome and for a request. */
export function innermostLine({ source, guest, qemu }: Step): string {
  return guest && qemu.length === 0 ? '' : lineOf(source[0]);
}

/** The source line in the function that has a name in QEMU: `timer-path.ts:77 #callBack`. */
export function mappedLine({ source }: Step): string {
  return lineOf(source.find(({ qemu }) => qemu) ?? source[0]);
}

function lineOf(frame: Frame | undefined): string {
  return frame ? `${frame.file.replace(/^.*\//, '')}:${frame.line} ${frame.function}`.trimEnd() : '';
}
