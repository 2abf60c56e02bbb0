import t from 'tap';
import { NONE, Request } from '../../../src/runtime/rings/requests.js';
import { GONE, READ, VIEW } from '../../../src/runtime/rings/submission-ring.js';
import { SupervisedMachine, type SupervisedState } from '../../../src/runtime/threads/machine-states.js';

const STATES: readonly SupervisedState[] = ['running', 'hung', 'frozen', 'removed'];

/** What a request to a machine in each state ends as at once. */
const READS = { running: 'enters', hung: 'waits', frozen: 'is refused', removed: 'is refused' };
const VIEWS = { ...READS, hung: 'is refused' };

function request(operation: number): Request {
  return new Request(0, NONE, operation, 4, 0, 0, 0, () => {});
}

function ask(machine: SupervisedMachine, operation: number): string {
  const asked = request(operation);
  if (!machine.refuse(asked)) return 'enters';
  return asked.status === GONE ? 'is refused' : 'waits';
}

/** All sequences of `length` states. */
function sequences(length: number): SupervisedState[][] {
  if (length === 0) return [[]];
  return sequences(length - 1).flatMap((rest) => STATES.map((state) => [...rest, state]));
}

t.test('a machine passes its states in one order, whatever is asked of it', (t) => {
  for (const sequence of sequences(4)) {
    const machine = new SupervisedMachine(0);
    let furthest = 0;
    for (const state of sequence) {
      const index = STATES.indexOf(state);
      t.equal(machine.enter(state), index > furthest, `${sequence}: ${state}`);
      furthest = Math.max(furthest, index);
      t.equal(machine.state, STATES[furthest]);
      t.equal(ask(machine, READ), READS[machine.state], `${sequence}: a read of a machine that is ${machine.state}`);
      t.equal(ask(machine, VIEW), VIEWS[machine.state], `${sequence}: a view of a machine that is ${machine.state}`);
    }
  }
  t.end();
});

t.test('requests that wait in a hung machine are answered once, as soon as it is frozen or removed', (t) => {
  for (const next of ['frozen', 'removed'] as const) {
    const machine = new SupervisedMachine(0);
    machine.enter('hung');
    let answers = 0;
    const waiting = new Request(0, NONE, READ, 4, 0, 0, 0, ({ status }) => {
      t.equal(status, GONE);
      answers++;
    });
    t.ok(machine.refuse(waiting));
    t.equal(answers, 0, 'no answer while the machine is hung');
    machine.enter(next);
    t.equal(answers, 1, next);
    machine.enter('removed');
    t.equal(answers, 1, `${next}, then removed`);
  }
  t.end();
});

t.test('a machine reports that it stopped when it hangs or is frozen, not when it is removed', async (t) => {
  for (const state of ['hung', 'frozen', 'removed'] as const) {
    const machine = new SupervisedMachine(0);
    let stopped = false;
    machine.stopped.then(() => {
      stopped = true;
    });
    machine.enter(state);
    await new Promise(setImmediate);
    t.equal(stopped, state !== 'removed', state);
  }
});
