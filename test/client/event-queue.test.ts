import t from 'tap';
import { EventQueue } from '../../src/client/event-queue.js';

const event = (sequence: number) => ({ type: 'intr' as const, sequence, level: 0 });
const lines = (hpet: number) => ({ hpet, external: 0 });

t.test('what nobody reads is kept up to the limit, and then reported as a gap', async (t) => {
  const queue = new EventQueue<ReturnType<typeof event>>(2);
  for (let sequence = 1; sequence <= 5; sequence++) queue.push(event(sequence), lines(sequence));
  const taken = async () => (await queue.next()).value;
  t.same(await taken(), event(1));
  t.same(await taken(), event(2));
  t.same(await taken(), { type: 'gap', from: 3, to: 5, lines: lines(5) });
  queue.push(event(6));
  t.same(await taken(), event(6), 'there is room again');
});

t.test('a gap that comes from the server becomes part of the one at the end', async (t) => {
  const queue = new EventQueue<ReturnType<typeof event> | { type: 'gap'; from: number; to: number }>(1);
  queue.push(event(1));
  queue.push({ type: 'gap', from: 2, to: 9 }, lines(9));
  queue.push(event(10));
  t.equal(queue.length, 2);
  await queue.next();
  t.same((await queue.next()).value, { type: 'gap', from: 2, to: 10, lines: lines(9) });
});

t.test('what finds room again is behind the gap, and the next gap is another', async (t) => {
  const queue = new EventQueue<ReturnType<typeof event>>(2);
  for (const sequence of [1, 2, 3]) queue.push(event(sequence));
  await queue.next();
  await queue.next();
  for (const sequence of [4, 5, 6]) queue.push(event(sequence));
  queue.end();
  const rest = [];
  for await (const item of queue) rest.push(item);
  t.same(rest, [{ type: 'gap', from: 3, to: 3 }, event(4), { type: 'gap', from: 5, to: 6 }]);
});

t.test('what replaced the state is never left out, and a gap has the last levels', async (t) => {
  const queue = new EventQueue<{ type: string; sequence: number }>(1);
  queue.push(event(1));
  queue.push(event(2), undefined, 1);
  queue.push({ type: 'interrupt', sequence: 3 }, lines(3));
  queue.push({ type: 'restored', sequence: 4 });
  queue.push(event(5), undefined, 0);
  const items = [];
  while (queue.length > 0) items.push((await queue.next()).value);
  t.same(items, [
    event(1),
    { type: 'gap', from: 2, to: 3, lines: lines(3), intr: 1 },
    { type: 'restored', sequence: 4 },
    { type: 'gap', from: 5, to: 5, intr: 0 },
  ]);
});
