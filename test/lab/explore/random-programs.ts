import type { Memory } from '../../../src/core/memory/memory.js';
import { Execution } from '../../../src/lab/explore/execution.js';
import { type Exploration, type ExploreOptions, Explorer } from '../../../src/lab/explore/explorer.js';
import { conflicts, FAILED, History } from '../../../src/lab/explore/history.js';
import type { LogicalThread } from '../../../src/lab/explore/logical-thread.js';
import type { Oracle } from '../../../src/lab/explore/oracle.js';
import { SharedState } from '../../../src/lab/explore/shared-state.js';
import { System } from '../../../src/lab/explore/system.js';
import { Random } from '../../../src/lab/random.js';

/** One action of a thread, given what it last read; a read returns its value. */
// biome-ignore lint/suspicious/noConfusingVoidType: a write returns nothing
type Action = (memory: Memory, last: number) => number | void;

const DATA = [2, 4] as const;
const WORDS = [8, 9] as const;
const TIMES = [0, 50, 100];

export function threadOf(
  name: string,
  id: number,
  step: (memory: Memory, carried: readonly number[]) => number[] | undefined,
) {
  const thread: LogicalThread = {
    name,
    id,
    idleAt: -1,
    firstCarried: [],
    history: new History(),
    begin: (memory, carried) => () => step(memory(), carried),
  };
  return thread;
}

/** Three threads of three to five random actions each, on two data words and two synchronising words. */
export function randomProgram(seed: number): LogicalThread[] {
  const random = new Random(seed);
  return [1, 2, 3].map((id) => {
    const actions = Array.from({ length: 2 + random.below(3) }, () => randomAction(random, id));
    return threadOf(`thread ${id}`, id, (memory) => {
      let last = 0;
      for (const action of actions) last = action(memory, last) ?? last;
      return undefined;
    });
  });
}

function randomAction(random: Random, id: number): Action {
  const data = DATA[random.below(2)];
  const word = WORDS[random.below(2)];
  const value = random.below(3);
  const actions: readonly Action[] = [
    (memory) => memory.get(data),
    (memory, last) => memory.set(data, last + id),
    (memory, last) => (last & 1 ? memory.get(data) : memory.load(word)),
    (memory) => memory.getTime(data),
    (memory, last) => memory.setTime(data, last),
    (memory) => memory.load(word),
    (memory, last) => memory.store(word, last + value),
    (memory) => memory.compareExchange(word, value, id),
    (memory) => memory.add(word, 1),
    (memory) => memory.exchange(word, value),
    (memory) => memory.wait(word, value, 60),
    (memory) => memory.notify(word, 1),
    (memory) => memory.hostTime(),
  ];
  return actions[random.below(actions.length)];
}

/** What an exploration finds, in a form that does not depend on the order in which it visits states. */
export interface Result {
  readonly states: number;
  readonly ends: number;
  readonly transitions: number;
  readonly findings: readonly string[];
  /** The states in which no thread can go on. */
  readonly rests: readonly string[];
}

/** Collects the states at rest. */
export function restsInto(rests: Set<string>): Oracle {
  return {
    name: 'rests',
    atRest(system) {
      const { state, nodes, status, execution } = system;
      const written: string[] = [];
      for (let address = 0; address < state.initial.length; address++) {
        const value = state.get(address);
        if (value !== state.initial[address]) written.push(`${address}=${value}`);
      }
      const at = nodes.map(({ kind, address }) => `${kind}@${address}`);
      rests.add([written, at, status, execution.clock.now].join(' '));
    },
  };
}

export function resultOf({ states, ends, transitions, findings }: Exploration, rests: ReadonlySet<string>): Result {
  return {
    states,
    ends,
    transitions,
    findings: findings.map(({ kind, summary }) => `${kind}: ${summary}`).sort(),
    rests: [...rests].sort(),
  };
}

/** Explores threads of a test on words of their own, with races and failures as findings. */
export function exploreThreads(
  threads: readonly LogicalThread[],
  options: ExploreOptions,
  times: readonly number[] = TIMES,
): Result {
  const execution = new Execution(new SharedState(new Int32Array(32)), { times, now: 0 });
  const points = { isSchedulingPoint: () => true, isVisible: () => true, note() {} };
  const system = new System(threads, execution.state, execution, points, undefined, undefined, () => {});
  const rests = new Set<string>();
  const explorer = new Explorer(system, [races, restsInto(rests)], options);
  return resultOf(explorer.run(), rests);
}

const races: Oracle = {
  name: 'races',
  afterTransition(system, thread, report) {
    for (let other = 0; other < system.threads.length; other++) {
      if (other === thread) continue;
      for (const address of conflicts(system.segment(thread), system.segment(other))) {
        const [one, two] = [thread, other].sort();
        report({ kind: 'race', summary: `word ${address}: threads ${one} and ${two}` });
      }
    }
    if (system.nodes[thread].kind === FAILED) report({ kind: 'assertion', summary: `thread ${thread} failed` });
  },
};
