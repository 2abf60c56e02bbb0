import t from 'tap';
import { nested } from '../../../src/runtime/trace/nesting.js';
import type { Slice } from '../../../src/runtime/trace/slices.js';

function slice(name: string, begin: number, end: number): Slice {
  return { name, category: 'lock', begin, end, args: {} };
}

const text = ({ name, begin, end, args }: Slice) =>
  `${args.fromBefore ? '…' : ''}${name} ${begin}–${end}${args.goesOn ? '…' : ''}`;

t.test('what nests stays as it is, outer ones first', async (t) => {
  const slices = [slice('inner', 2, 3), slice('after', 5, 6), slice('outer', 2, 4), slice('last', 6, 7)];
  t.same(nested(slices).map(text), ['outer 2–4', 'inner 2–3', 'after 5–6', 'last 6–7']);
});

t.test('locks that are given back in the order in which they were taken are cut, and say so', async (t) => {
  const slices = [slice('bql', 0, 5), slice('device', 3, 8), slice('router', 6, 10)];
  t.same(nested(slices).map(text), ['bql 0–5', 'device 3–5…', '…device 5–8', 'router 6–8…', '…router 8–10']);
});

t.test('a slice that outlasts several is cut at the end of each', async (t) => {
  const slices = [slice('outer', 0, 6), slice('middle', 1, 4), slice('long', 2, 9), slice('short', 4, 5)];
  t.same(nested(slices).map(text), ['outer 0–6', 'middle 1–4', 'long 2–4…', '…long 4–6…', 'short 4–5', '…long 6–9']);
});
