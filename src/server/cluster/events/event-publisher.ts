import type { Gap, Irq, LineLevels, Restored } from '../../../protocol/server-message.js';
import type { IrqEvent } from '../../service/irq-event.js';
import { linesAfter, linesBefore } from '../../service/lines.js';
import type { MachineEvents, Subscriber } from '../../service/machine-events.js';
import { DELETED, type MachineEnd } from '../../service/vcpu.js';
import { type Clock, pause } from '../clock.js';
import { Conflict } from '../store.js';
import type { EventLog } from './event-log.js';
import { decodeRecord, type EventRecord, encodeRecord } from './records.js';

/** Events in a record. */
export const BATCH = 64;
/** Longest time that an event waits for others to share its record. */
const BATCH_MS = 5;
/** Events that wait for the stream; further ones are counted. */
export const MOST_WAITING = 64 * BATCH;
const RETRY_MS = 100;

interface Waiting {
  readonly type: 'event';
  readonly wire: Irq;
  readonly sequence: number;
}

/** A part of the stream that is not published yet. */
type Part =
  | Waiting
  | { readonly type: 'gap'; readonly from: number; readonly sequence: number; readonly lines: LineLevels }
  | { readonly type: 'epoch'; readonly epoch: string; readonly sequence: number; readonly lines: LineLevels }
  | { readonly type: 'end' };

export interface PublisherParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly machine: string;
  readonly node: string;
  /** ms that the stream keeps a record: the last one of a machine has to stay. */
  readonly keptMs: number;
  /** Of the claim that this node has now. */
  readonly fence: () => number;
  /** Whether this node may act for the machine. */
  readonly mayPublish: () => boolean;
  /** Called when another node has published as a later owner. */
  readonly lost: () => void;
  /** Counts events that found no room. */
  readonly missed: (events: number) => void;
}

/**
 * Publishes the events of a machine that this node owns. One record is in flight at a time, and each is appended to the one
 * before it: after a later owner's first record none of this owner is accepted.
 */
export class EventPublisher implements Subscriber {
  #waiting: Part[] = [];
  /** Events after those that wait, which found no room. */
  #gap: Extract<Part, { type: 'gap' }> | undefined;
  #parts: PublisherParts | undefined;
  /** Up to where records are made. */
  #epoch = '';
  #sequence = 0;
  #lines: LineLevels = { hpet: 0, external: 0 };
  /** Position of this machine's last record in the stream. */
  #position = 0;
  #publishedAt = 0;
  #isPublishing = false;
  #isOver = false;
  #isEnding = false;
  #cancelBatch: (() => void) | undefined;
  #cancelRefresh = () => {};
  #onIdle: (() => void)[] = [];

  constructor(
    readonly events: MachineEvents,
    /** Called when the machine has ended here. */
    readonly onEnd: () => void,
  ) {
    events.subscribers.add(this);
  }

  get hasBegun(): boolean {
    return this.#parts !== undefined;
  }

  /** Events and other parts that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The machine has its state and its owner: publishes the epoch, and what has come since. */
  begin(parts: PublisherParts): void {
    if (this.#parts || this.#isOver) return;
    this.#parts = parts;
    const { origin, sequence, lines } = this.events;
    const early = this.#waiting.filter((part) => part.type === 'event' && part.sequence > origin.sequence) as Waiting[];
    const before = { sequence: (early[0]?.sequence ?? sequence + 1) - 1, lines: linesBefore(early, lines) };
    this.#waiting = [{ type: 'epoch', epoch: origin.epoch, ...before }, ...early];
    this.#refreshLater(parts);
    void this.#publish(parts);
  }

  event(event: IrqEvent): void {
    if (this.#isEnding) return;
    const { sequence, wire } = event;
    // The epoch record says where the stream begins.
    if (!this.#parts && this.#waiting.length >= MOST_WAITING) this.#waiting.splice(0, BATCH);
    if (this.#gap || this.#waiting.length >= MOST_WAITING) {
      this.#gap = { type: 'gap', from: this.#gap?.from ?? sequence, sequence, lines: this.events.lines };
      this.#parts?.missed(1);
      return;
    }
    this.#waiting.push({ type: 'event', wire, sequence });
    this.#publishSoon();
  }

  /** The state was replaced: a new epoch begins. */
  restored(_gap: Gap, { epoch, sequence, lines }: Restored): void {
    if (!this.#parts) return;
    this.#endGap(sequence - 1);
    this.#waiting.push({ type: 'epoch', epoch, sequence, lines });
    this.#publishSoon();
  }

  /** Lets what found no room end before event `sequence`; several in a row, with the epochs between, become one. */
  #endGap(sequence: number): void {
    let from = this.#gap?.from;
    let lines = this.#gap?.lines;
    while (this.#waiting.length >= MOST_WAITING && this.#waiting.at(-1)?.type !== 'event') {
      const part = this.#waiting.pop();
      if (part?.type === 'gap') {
        from = part.from;
        lines ??= part.lines;
      }
    }
    if (from !== undefined && lines) this.#waiting.push({ type: 'gap', from, sequence, lines });
    this.#gap = undefined;
  }

  ended(end: MachineEnd): void {
    this.events.subscribers.delete(this);
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.onEnd();
    if (end !== DELETED || !this.#parts) {
      this.#stop();
      return;
    }
    this.#endGap(this.#gap?.sequence ?? 0);
    this.#waiting.push({ type: 'end' });
    void this.#publish(this.#parts);
  }

  #stop(): void {
    this.#isOver = true;
    this.#cancelBatch?.();
    this.#cancelRefresh();
    this.#isIdle();
  }

  #isIdle(): void {
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Resolves when all that has come is published, or nothing more will be. */
  async flush(): Promise<void> {
    const parts = this.#parts;
    if (!parts || this.#isOver) return;
    const idle = new Promise<void>((resolve) => this.#onIdle.push(resolve));
    void this.#publish(parts);
    await idle;
  }

  #publishSoon(): void {
    const parts = this.#parts;
    if (!parts || this.#isPublishing || this.#isOver) return;
    if (this.#waiting.length >= BATCH) void this.#publish(parts);
    else
      this.#cancelBatch ??= parts.clock.after(BATCH_MS, () => {
        this.#cancelBatch = undefined;
        void this.#publish(parts);
      });
  }

  /** Publishes all that waits now, one record after the other. */
  async #publish(parts: PublisherParts): Promise<void> {
    if (this.#isPublishing || this.#isOver) return;
    this.#isPublishing = true;
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
    do {
      const record = this.#next(parts);
      if (!record) break;
      await this.#append(parts, encodeRecord(record));
      if (record.type === 'end') this.#stop();
    } while (!this.#isOver && (this.#waiting.length >= BATCH || this.#onIdle.length > 0 || this.#isBlocked));
    this.#isPublishing = false;
    if (this.#isOver) return;
    if (this.#waiting.length > 0) this.#publishSoon();
    else this.#isIdle();
  }

  /** Whether something other than an event is next, which shares no record. */
  get #isBlocked(): boolean {
    const first = this.#waiting[0] ?? this.#gap;
    return first !== undefined && first.type !== 'event';
  }

  /** Makes a record of what waits first. */
  #next({ machine, node, fence }: PublisherParts): EventRecord<Irq> | undefined {
    const first = this.#waiting[0] ?? this.#gap;
    if (!first) return undefined;
    const base = () => ({
      machine,
      node,
      fence: fence(),
      epoch: this.#epoch,
      sequence: this.#sequence,
      lines: this.#lines,
    });
    if (first.type === 'event') {
      const events = this.#takeEvents();
      for (const event of events) this.#lines = linesAfter(this.#lines, event);
      this.#sequence = events[events.length - 1].sequence;
      return { ...base(), type: 'events', events };
    }
    if (this.#waiting.shift() === undefined) this.#gap = undefined;
    if (first.type === 'end') return { ...base(), type: 'end' };
    this.#sequence = first.sequence;
    this.#lines = first.lines;
    if (first.type === 'epoch') {
      this.#epoch = first.epoch;
      return { ...base(), type: 'epoch' };
    }
    return { ...base(), type: 'gap', from: first.from, missed: first.sequence - first.from + 1 };
  }

  #takeEvents(): Irq[] {
    const other = this.#waiting.slice(0, BATCH).findIndex(({ type }) => type !== 'event');
    const taken = this.#waiting.splice(0, other < 0 ? BATCH : other);
    return taken.flatMap((part) => (part.type === 'event' ? [part.wire] : []));
  }

  /** Appends a record, however often that has to be tried; gives up when this node may not act any more. */
  async #append(parts: PublisherParts, data: Uint8Array): Promise<void> {
    while (!this.#isOver) {
      if (!parts.mayPublish()) return this.#stop();
      try {
        this.#position = await parts.log.append(parts.machine, data, this.#position);
        this.#publishedAt = parts.clock.now();
        return;
      } catch (error) {
        const isSettled =
          error instanceof Conflict ? await this.#settle(parts, data).catch(() => undefined) : undefined;
        if (isSettled) return;
        // The stream did not answer.
        if (isSettled === undefined) await pause(parts.clock, RETRY_MS);
      }
    }
  }

  /** Another record is the last: true if it is this one, from a try whose answer was lost. */
  async #settle(parts: PublisherParts, data: Uint8Array): Promise<boolean> {
    const last = await parts.log.last(parts.machine);
    this.#position = last?.position ?? 0;
    if (!last) return false;
    if (Buffer.compare(last.data, data) === 0) {
      this.#publishedAt = parts.clock.now();
      return true;
    }
    if (decodeRecord(last.data).fence <= parts.fence()) return false;
    this.#stop();
    parts.lost();
    return true;
  }

  /** The last record has to stay, for the next one is appended to it. */
  #refreshLater(parts: PublisherParts): void {
    this.#cancelRefresh = parts.clock.after(parts.keptMs / 4, () => {
      this.#refreshLater(parts);
      if (this.#waiting.length > 0 || this.#gap || parts.clock.now() - this.#publishedAt < parts.keptMs / 4) return;
      this.#waiting.push({ type: 'epoch', epoch: this.#epoch, sequence: this.#sequence, lines: this.#lines });
      void this.#publish(parts);
    });
  }
}
