import type { Clock } from './clock.js';
import { isUnstartable, nodesFor } from './failed-starts.js';
import type { Members } from './members.js';
import { isOrphan } from './owned-machine.js';
import { Placement } from './placement.js';
import { decodeMachine, type LeaseRecord, leaseKey, MACHINES, type NodeLife, type Survey } from './records.js';
import type { ClusterStore, Entry } from './store.js';

/** Machines in one offer. */
const OFFERED = 64;
/** Between two rounds while machines are left without an owner; up to the second, if no node could take any. */
const ROUND_MS = 500;
const LONGEST_MS = 15_000;
/** Unstartable machines that a survey names. */
const NAMED = 32;

/** Offers machines to a node, which claims them; resolves to the number of those that it has then. Rejects if it does not answer. */
export type Offer = (target: LeaseRecord, machines: readonly Entry[]) => Promise<number>;

export interface StewardParts {
  readonly records: ClusterStore;
  readonly checkpoints: ClusterStore;
  readonly clock: Clock;
  readonly members: Members;
  readonly offer: Offer;
  /** Whether this node looks for machines without an owner: the lease is held, and it is the first node. */
  readonly isSteward: () => boolean;
}

/** Finds machines without an owner, and offers them to the nodes with the most room. Any node may do so: claims decide. */
export class Steward {
  #isRunning = false;
  #isWanted = false;
  /** What the last round found; undefined before the first. */
  survey: Survey | undefined;
  /** Ends the pause between two rounds. */
  #wake = () => {};

  constructor(readonly parts: StewardParts) {}

  /** Resolves when every machine has an owner, or this node is not the steward. */
  async sweep(): Promise<void> {
    this.#isWanted = true;
    this.#wake();
    if (this.#isRunning) return;
    this.#isRunning = true;
    let wait = ROUND_MS;
    try {
      while (this.#isWanted && this.parts.isSteward()) {
        this.#isWanted = false;
        const { claimed, left } = await this.#round().catch(() => ({ claimed: 0, left: 1 }));
        if (left === 0) continue;
        wait = claimed > 0 ? ROUND_MS : Math.min(2 * wait, LONGEST_MS);
        this.#isWanted = true;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          this.parts.clock.after(wait, resolve);
        });
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Returns how many machines got an owner, and how many may be left without. */
  async #round(): Promise<{ readonly claimed: number; readonly left: number }> {
    const machines = await this.parts.records.list(MACHINES);
    const without: Entry[] = [];
    const unstartable: string[] = [];
    for (const entry of await this.#withoutOwner(machines)) {
      const record = decodeMachine(entry.value);
      if (isUnstartable(record, this.parts.members)) unstartable.push(record.machine);
      else without.push(entry);
    }
    const found = { unstartable: unstartable.length, names: unstartable.slice(0, NAMED) };
    this.survey = { withoutOwner: without.length, ...found };
    const offers = [...this.#targets(without)].map(([target, entries]) => this.#offer(target, entries));
    const claimed = (await Promise.all(offers)).reduce((sum, count) => sum + count, 0);
    const left = without.length - claimed;
    this.survey = { withoutOwner: left, ...found };
    return { claimed, left };
  }

  /** The nodes for machines without an owner, as far as there is room. */
  #targets(without: readonly Entry[]): Map<LeaseRecord, Entry[]> {
    const { members } = this.parts;
    const placement = new Placement(members);
    const byTarget = new Map<LeaseRecord, Entry[]>();
    for (const entry of without) {
      const record = decodeMachine(entry.value);
      // One that failed to start goes to a node that has not tried. Few do.
      const target = record.failures ? new Placement(nodesFor(record, members)).next() : placement.next();
      if (!target) continue;
      const entries = byTarget.get(target);
      if (entries) entries.push(entry);
      else byTarget.set(target, [entry]);
    }
    return byTarget;
  }

  async #offer(target: LeaseRecord, entries: readonly Entry[]): Promise<number> {
    let claimed = 0;
    for (let at = 0; at < entries.length && this.parts.isSteward(); at += OFFERED) {
      try {
        claimed += await this.parts.offer(target, entries.slice(at, at + OFFERED));
      } catch {
        // The next round offers the others to whichever nodes are alive then.
        break;
      }
    }
    return claimed;
  }

  /**
   * The machines whose owner's lease is closed. Records are read before leases: a lease that is closed now, of an owner that
   * was written while it was open, is closed for good.
   */
  async #withoutOwner(machines: readonly Entry[]): Promise<Entry[]> {
    const { members, records } = this.parts;
    const open = new Map<string, Promise<boolean>>();
    const isOpen = (owner: NodeLife): Promise<boolean> => {
      const key = leaseKey(owner);
      const known = open.get(key) ?? (members.has(owner) ? Promise.resolve(true) : records.get(key).then(Boolean));
      open.set(key, known);
      return known;
    };
    const without: Entry[] = [];
    for (const entry of machines) {
      const { owner } = decodeMachine(entry.value);
      if (!owner || !(await isOpen(owner))) without.push(entry);
    }
    return without;
  }

  /** Removes checkpoints that count no longer. */
  async collect(): Promise<void> {
    const { records, checkpoints, isSteward } = this.parts;
    const keys = await checkpoints.keys('checkpoint.');
    const byMachine = new Map((await records.list(MACHINES)).map((entry) => [entry.key, entry]));
    for (const key of keys) {
      if (!isSteward()) return;
      const machine = MACHINES + key.split('.')[1];
      // A list may be cut short.
      const entry = byMachine.get(machine) ?? (await records.get(machine));
      if (isOrphan(key, entry && decodeMachine(entry.value), entry?.revision ?? 0)) await checkpoints.remove(key);
    }
  }
}
