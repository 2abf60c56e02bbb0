import t from 'tap';
import { SOURCES } from './source.js';

/**
 * Loops of the core and the runtime whose header does not count to a limit or walk through a collection: what bounds each
 * of them, and where the state is when the bound is reached. A new loop needs an entry.
 *
 * - `fixed`: a number of passes that does not depend on guests, time or other threads
 * - `slice`: a budget of passes; the state is saved, and the caller comes back
 * - `progress`: each further pass means that another thread has completed its own operation
 * - `blocking`: sleeps between passes until another thread acts; other machines are not affected
 * - `thread`: the body of a thread or of a promise, which returns to its bell or event loop in each pass
 */
type Bound = 'fixed' | 'slice' | 'progress' | 'blocking' | 'thread';

const LOOPS: { readonly [file: string]: readonly (readonly [header: string, bound: Bound, why: string])[] } = {
  'core/machine/due-work.ts': [
    ['while (((wanted - done) | 0) > 0)', 'progress', 'another thread has answered requests'],
    ['for (let left = this.#slice; left > 0; )', 'slice', 'callbacks; `isUnfinished`, clock and timer list'],
  ],
  'core/machine/timer-list.ts': [
    ['for (;;)', 'fixed', 'entries of the list, at most TIMER_COUNT'],
    ['while (memory.get(link) !== timer + 1)', 'fixed', 'entries of the list, at most TIMER_COUNT'],
  ],
  'core/machine/chipset.ts': [['while (this.#inside > 0)', 'fixed', 'devices that nest on one path']],
  'core/machine/turn.ts': [['for (;;)', 'progress', 'the other thread has left the machine']],
  'core/machine/bus.ts': [
    ['for (let done = 0; done < size; )', 'fixed', 'eight bytes'],
    ['for (let done = 0; done < size; )', 'fixed', 'eight bytes'],
    ['while (offset % size !== 0 || size > left)', 'fixed', 'halves of eight bytes'],
  ],
  'core/machine/bql-load.ts': [
    ['while (memory.hostTime() - start < hold)', 'fixed', 'a hold of at most 1 s, on the load thread'],
  ],
  'core/sync/wait-graph.ts': [['for (;;)', 'blocking', 'a deadlock that hangs by design; the thread is replaced']],
  'core/sync/lock-order-recorder.ts': [['for (let before = 0; before !== reached; )', 'fixed', 'LOCK_COUNT locks']],
  'core/sync/locks.ts': [['for (;;)', 'progress', 'a deadlock was broken in the other order']],
  'core/sync/sequence-lock.ts': [['while (sequence & WRITING)', 'progress', 'a write has ended']],
  'core/sync/mutex.ts': [
    ['for (;;)', 'blocking', 'the owner releases the lock'],
    ['for (;;)', 'blocking', 'the owner releases the lock'],
  ],
  'core/sync/sequence-latch.ts': [['while (memory.load(address) !== sequence)', 'progress', 'a write has ended']],
  'core/devices/hpet/main-counter.ts': [['while (!words.isCurrent())', 'progress', 'a write has ended']],
  'core/devices/i8259/chip.ts': [['while (!(ending & (1 << level)))', 'fixed', 'eight levels']],
  'core/locking/irq/try-queue.ts': [
    ['while (!target.lineQueue.isEmpty && target.locks.tryAcquire(ROUTER))', 'progress', 'another thread has queued'],
  ],
  'core/locking/line-decisions.ts': [['for (;;)', 'progress', 'another thread has changed the refused lines']],
  'core/locking/line-queue.ts': [['for (;;)', 'progress', 'another thread has queued a change']],
  'runtime/supervisor/supervisor.ts': [
    ['for (let ended = -1; ended !== machine.stuck.size; )', 'thread', 'threads that hang in one machine'],
    ['while (this.#hasLoadTurn(machine.slot))', 'thread', 'the end of a hold, at most 1 s'],
  ],
  'runtime/trace/nesting.ts': [
    ['while (outer.length > 0 && (outer.at(-1) as Slice).end <= next.begin)', 'fixed', 'records of a trace'],
    ['while (at > 0 && compare(pending[at - 1], slice) < 0)', 'fixed', 'records of a trace'],
  ],
  'runtime/statistics/lock-view.ts': [['for (let found = -1; found !== stuck.size; )', 'fixed', 'MAX_THREADS threads']],
  'runtime/memory/statistics-layout.ts': [
    ['while (bucket < BUCKET_BOUNDS.length && duration > BUCKET_BOUNDS[bucket])', 'fixed', 'buckets'],
  ],
  'runtime/events/event-ring.ts': [['for (;;)', 'blocking', 'the gateway delivers events']],
  'runtime/rings/requests.ts': [['while (this.#vcpus.length <= request.vcpu)', 'fixed', 'the vCPUs of a machine']],
  'runtime/supervisor/watchdog-thread.ts': [['for (;;)', 'thread', 'the watchdog']],
  'runtime/rings/deadline-queue.ts': [
    ['while (position > 0)', 'fixed', 'the depth of the heap'],
    ['for (;;)', 'fixed', 'the depth of the heap'],
  ],
  'runtime/threads/worker.ts': [
    ['for (;;)', 'thread', 'the main loop'],
    ['for (;;)', 'thread', 'the load thread'],
    ['while (vcpu.step())', 'thread', 'a vCPU thread'],
  ],
  'runtime/threads/slot-loop.ts': [
    ['while (bits !== 0)', 'slice', 'each machine once; the bitmap'],
    ['while (this.deadlines.earliest <= now)', 'slice', 'each machine once; the bitmap'],
  ],
  'runtime/threads/gateway.ts': [['for (;;)', 'slice', 'events before a position; `drained`']],
  'runtime/threads/vcpu-thread.ts': [['while (bits !== 0)', 'slice', 'each machine once; the bitmap']],
  'runtime/engine.ts': [['while (!this.#closing)', 'thread', 'the gateway']],
};

/** The text up to the parenthesis that closes the one at `from`. */
function parenthesized(text: string, from: number): string {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return text.slice(from, at + 1);
  }
  return text.slice(from);
}

/** Headers of the loops that need an entry. A `for` that steps, and one over a collection, has its bound in the header. */
function loopsOf(source: string): string[] {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const headers: string[] = [];
  for (const match of text.matchAll(/\b(for|while)\s*(?=\()/g)) {
    const head = parenthesized(text, match.index + match[0].length).replace(/\s+/g, ' ');
    if (match[1] === 'while' || /;\s*\)$/.test(head)) headers.push(`${match[1]} ${head}`);
  }
  return headers;
}

t.test('every loop of core and runtime has a bound', (t) => {
  const found = SOURCES.filter(({ path }) => /^src\/(core|runtime)\//.test(path))
    .map(({ path, text }) => [path.replace(/^src\//, ''), loopsOf(text)] as const)
    .filter(([, loops]) => loops.length > 0);
  for (const [file, loops] of found) {
    t.same(loops, LOOPS[file]?.map(([header]) => header) ?? [], `${file}: the loops in the table, in order`);
  }
  const files = new Set(found.map(([file]) => file));
  t.same(
    Object.keys(LOOPS).filter((file) => !files.has(file)),
    [],
    'the table has no other files',
  );
  t.end();
});

t.test('a loop without an entry is found', (t) => {
  t.same(loopsOf('for (;;) next();'), ['for (;;)']);
  t.same(loopsOf('do a();\nwhile (b(c)\n  && d);'), ['while (b(c) && d)']);
  t.same(loopsOf('for (let a = b; a !== c; ) {}'), ['for (let a = b; a !== c; )']);
  t.same(loopsOf('for (let a = 0; a < 8; a++) {}\nfor (const a of b) {}\n// while (a)\n/* for (;;) */'), []);
  t.end();
});
