/** The kind of a node in a thread's history. */
export const ROOT = 0;
export const GET = 1;
export const SET = 2;
export const GET_TIME = 3;
export const SET_TIME = 4;
export const HOST_TIME = 5;
/** From here on: synchronising operations, at which a thread is suspended. */
export const LOAD = 8;
export const STORE = 9;
export const EXCHANGE = 10;
export const COMPARE_EXCHANGE = 11;
export const ADD = 12;
export const OR = 13;
export const WAIT = 14;
export const NOTIFY = 15;
/** A read of the clock while the clock may advance. */
export const CLOCK = 16;
/** A spin without progress: enabled when the word has changed. */
export const AWAIT_CHANGE = 17;
/** The end of the thread's step. */
export const END = 24;
/** The thread has no more steps. */
export const FINISHED = 25;
/** The production code threw. */
export const FAILED = 26;

export const KIND_NAMES: readonly string[] = Object.assign([], {
  [GET]: 'get',
  [SET]: 'set',
  [GET_TIME]: 'get time',
  [SET_TIME]: 'set time',
  [HOST_TIME]: 'host time',
  [LOAD]: 'load',
  [STORE]: 'store',
  [EXCHANGE]: 'exchange',
  [COMPARE_EXCHANGE]: 'compare-exchange',
  [ADD]: 'add',
  [OR]: 'or',
  [WAIT]: 'wait',
  [NOTIFY]: 'notify',
  [CLOCK]: 'clock',
  [AWAIT_CHANGE]: 'spin',
  [END]: 'end of step',
  [FINISHED]: 'finished',
  [FAILED]: 'failed',
});

/**
 * One action of a thread. The path from the root holds the thread's actions since the start of its step, and the edges
 * the values that they yielded. Production code is a function of those values, so the node is the thread's local state,
 * and actions recorded below it need no further execution.
 */
export class HistoryNode {
  /** The action that follows if this one yields `value`; further ones are in `more`. */
  next: HistoryNode | undefined;
  value = 0;
  more: Map<number, HistoryNode> | undefined;
  /** Plain accesses since the last synchronising operation; made on demand. */
  segment: Segment | undefined;
  /** FAILED: the error thrown. */
  error: unknown;
  /** Source lines of the action, if recorded. */
  site: string[] | undefined;
  parent: HistoryNode | undefined;
  /** What the parent yielded. */
  parentValue = 0;

  constructor(
    readonly id: number,
    readonly kind: number,
    /** Absolute word address, if any. */
    readonly address: number,
    /** Operands: the value written or expected, and the value exchanged in or the timeout (ns; −1: none). */
    readonly a: number,
    readonly b: number,
    /** ROOT: the values carried from earlier steps. END: the values for the next step. */
    readonly carried: readonly number[],
  ) {}

  follow(value: number): HistoryNode | undefined {
    return this.value === value && this.next ? this.next : this.more?.get(value);
  }

  attach(value: number, node: HistoryNode): void {
    if (!this.next) {
      this.next = node;
      this.value = value;
    } else {
      this.more ??= new Map();
      this.more.set(value, node);
    }
  }
}

/** Tells which operations other threads can see. */
export interface Visibility {
  isVisible(node: HistoryNode): boolean;
}

/** The plain accesses of one thread between two synchronising operations, as sorted word addresses. */
export interface Segment {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Bit n: some address that is n modulo 32 is written, or accessed at all. */
  readonly writeMask: number;
  readonly accessMask: number;
}

export const NO_ACCESSES: Segment = { reads: [], writes: [], writeMask: 0, accessMask: 0 };

/** Whether this is the first attempt of a blocking acquisition. A try-lock loads the word before. */
export function isAcquisition({ kind, address, a, parent }: HistoryNode): boolean {
  return kind === COMPARE_EXCHANGE && a === 0 && !(parent?.kind === LOAD && parent.address === address);
}

/** All histories of one thread. */
export class History {
  readonly nodes: HistoryNode[] = [];
  readonly #boundaries = new Map<string, HistoryNode>();

  /** The start of a step with carried values. It inherits the last step's accesses after its last operation. */
  root(carried: readonly number[], inherited: Segment): HistoryNode {
    return this.#boundary(ROOT, carried, inherited);
  }

  /** The start of the step after the one that ended with `end`. */
  beginAfter(end: HistoryNode, visibility: Visibility): HistoryNode {
    const root = this.root(end.carried, segmentOf(end, visibility));
    end.attach(0, root);
    return root;
  }

  /** The end of the thread's last step. */
  finished(inherited: Segment): HistoryNode {
    return this.#boundary(FINISHED, [], inherited);
  }

  #boundary(kind: number, carried: readonly number[], inherited: Segment): HistoryNode {
    const key = `${kind}|${carried}|${inherited.reads}|${inherited.writes}`;
    let node = this.#boundaries.get(key);
    if (!node) {
      node = this.add(kind, -1, 0, 0, undefined, 0, carried);
      node.segment = inherited;
      this.#boundaries.set(key, node);
    }
    return node;
  }

  add(
    kind: number,
    address: number,
    a: number,
    b: number,
    parent: HistoryNode | undefined,
    parentValue: number,
    carried: readonly number[] = [],
  ): HistoryNode {
    const node = new HistoryNode(this.nodes.length, kind, address, a, b, carried);
    node.parent = parent;
    node.parentValue = parentValue;
    this.nodes.push(node);
    parent?.attach(parentValue, node);
    return node;
  }
}

/** The plain accesses before `node`, back to the last operation that another thread can see. */
export function segmentOf(node: HistoryNode, visibility: Visibility): Segment {
  if (node.segment) return node.segment;
  const reads = new Set<number>();
  const writes = new Set<number>();
  let at = node.parent;
  for (; at && at.kind !== ROOT; at = at.parent) {
    if (at.kind === HOST_TIME) continue;
    if (at.kind >= LOAD) {
      if (visibility.isVisible(at)) break;
      continue;
    }
    const into = at.kind === SET || at.kind === SET_TIME ? writes : reads;
    into.add(at.address);
    if (at.kind === GET_TIME || at.kind === SET_TIME) into.add(at.address + 1);
  }
  if (at?.kind === ROOT && at.segment) {
    for (const address of at.segment.reads) reads.add(address);
    for (const address of at.segment.writes) writes.add(address);
  }
  node.segment = reads.size + writes.size === 0 ? NO_ACCESSES : makeSegment(reads, writes);
  return node.segment;
}

function makeSegment(reads: Set<number>, writes: Set<number>): Segment {
  const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b);
  const mask = (set: Set<number>) => [...set].reduce((bits, address) => bits | (1 << (address & 31)), 0);
  return {
    reads: sorted(reads),
    writes: sorted(writes),
    writeMask: mask(writes),
    accessMask: mask(writes) | mask(reads),
  };
}

/** The addresses at which two segments conflict: both access them, and one of them writes. */
export function conflicts(one: Segment, other: Segment): number[] {
  const found = one.writes.filter((address) => other.writes.includes(address) || other.reads.includes(address));
  for (const address of other.writes) if (one.reads.includes(address)) found.push(address);
  return found;
}
