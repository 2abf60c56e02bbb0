import t from 'tap';
import { exploreThreads, threadOf } from './random-programs.js';

const GO = 8;
const WINNER = 9;

/** Takes steps until the word is 1. */
const poller = () => threadOf('poller', 1, (memory) => (memory.load(GO) === 1 ? undefined : []));

t.test('threads that take steps forever after a lost race are a livelock, though other orders end', async (t) => {
  const racers = [2, 3].map((id) =>
    threadOf(`racer ${id}`, id, (memory) => {
      if (memory.compareExchange(WINNER, 0, id) === 0) memory.store(GO, id - 1);
      return undefined;
    }),
  );
  const { findings, ends } = exploreThreads([poller(), ...racers], {}, [0]);
  t.ok(ends > 0, 'if thread 2 wins, all end');
  t.match(findings, [/^livelock: the threads take steps forever/]);
});

t.test('a thread that polls is none while another one can still end it', async (t) => {
  const setter = threadOf('setter', 2, (memory) => {
    memory.store(GO, 1);
    return undefined;
  });
  const { findings, ends } = exploreThreads([poller(), setter], {}, [0]);
  t.equal(ends, 1);
  t.same(findings, []);
});

t.test('two threads that keep each other going are a livelock without any end', async (t) => {
  const toggling = [0, 1].map((mine) =>
    threadOf(`thread ${mine}`, mine + 1, (memory) => {
      memory.compareExchange(GO, mine, 1 - mine);
      return [];
    }),
  );
  const { findings, ends } = exploreThreads(toggling, {}, [0]);
  t.equal(ends, 0);
  t.match(findings, [/^livelock: /]);
});

t.test('a deadlock is an end that is judged by itself', async (t) => {
  const waiters = [1, 2].map((id) =>
    threadOf(`waiter ${id}`, id, (memory) => {
      memory.wait(GO, 0);
      return undefined;
    }),
  );
  const { findings, rests } = exploreThreads(waiters, {}, [0]);
  t.equal(rests.length, 2, 'by the order in which they wait');
  t.same(findings, []);
});
