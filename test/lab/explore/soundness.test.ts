import t from 'tap';
import { PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import type { Memory } from '../../../src/core/memory/memory.js';
import { Execution, NotExplorable } from '../../../src/lab/explore/execution.js';
import { explore } from '../../../src/lab/explore/explore.js';
import type { Exploration } from '../../../src/lab/explore/explorer.js';
import { FINISHED, History, LOAD, NO_ACCESSES } from '../../../src/lab/explore/history.js';
import type { LogicalThread } from '../../../src/lab/explore/logical-thread.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { SharedState } from '../../../src/lab/explore/shared-state.js';

const callbackAcknowledge = scenarioNamed('callback-acknowledge');

const kinds = ({ findings }: Exploration) => findings.map(({ kind, summary }) => `${kind}: ${summary}`).sort();

for (const preset of ['nested-mutex', 'legacy-race', 'lockless-timer', 'deferred-irq'] satisfies PresetName[]) {
  t.test(`${preset}: whatever makes exploration smaller changes no finding`, async (t) => {
    const smallest = explore(callbackAcknowledge, PRESETS[preset], { mutex: 'blocking' });
    const usual = explore(callbackAcknowledge, PRESETS[preset]);
    const unmerged = explore(callbackAcknowledge, PRESETS[preset], { merge: false });
    t.ok(unmerged.complete);
    t.ok(smallest.states < usual.states && usual.states < unmerged.states);
    t.same(kinds(usual), kinds(unmerged));
    t.same(kinds(smallest), kinds(unmerged));
  });
}

t.test('nor does leaving out scheduling points at words that only one thread uses', async (t) => {
  const reduced = explore(callbackAcknowledge, PRESETS['nested-mutex'], { mutex: 'blocking' });
  const full = explore(callbackAcknowledge, PRESETS['nested-mutex'], { mutex: 'blocking', reduce: false });
  t.ok(full.complete);
  t.ok(reduced.states < full.states);
  t.same(kinds(reduced), kinds(full));
});

for (const name of ['mutex-barging', 'mutex-ticket']) {
  t.test(`${name}: three threads exclude each other, and each acquires the lock`, async (t) => {
    const { findings, complete, states } = explore(scenarioNamed(name), PRESETS.bql);
    t.same(findings, []);
    t.equal(complete, true);
    t.ok(states > 1000);
  });
}

function thread(step: (memory: Memory) => void): LogicalThread {
  return {
    name: 'test',
    id: 1,
    idleAt: -1,
    firstCarried: [],
    history: new History(),
    begin: (memory) => () => {
      step(memory());
      return undefined;
    },
  };
}

function resume(step: (memory: Memory) => void, goOnWith: readonly number[]): number {
  const execution = new Execution(new SharedState(new Int32Array(16)), { times: [0], now: 0 });
  const one = thread(step);
  let node = execution.resume(one, one.history.root([], NO_ACCESSES), 0);
  for (const value of goOnWith) node = execution.resume(one, node, value);
  return node.kind;
}

t.test('code that cheats is found out', async (t) => {
  t.equal(
    resume((memory) => memory.load(0), [0]),
    FINISHED,
    'honest code is not',
  );
  t.throws(
    () =>
      resume((memory) => {
        try {
          memory.load(0);
        } catch {}
      }, []),
    NotExplorable,
    'a catch that swallows the suspension',
  );
  let runs = 0;
  t.throws(() => resume((memory) => memory.load(runs++), [0]), NotExplorable, 'state outside the seam');
  t.equal(
    resume((memory) => memory.load(3), []),
    LOAD,
  );
});
