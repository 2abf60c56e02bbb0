import type { Slice } from './slices.js';

/**
 * The slices of a thread so that any two are apart or one in the other, outer ones first, as viewers demand of a track.
 * Locks need not be given back in the order in which they were taken: a slice that outlasts one in which it began is cut
 * there, and its parts say so.
 */
export function nested(slices: readonly Slice[]): Slice[] {
  // The next is at the end.
  const pending = slices.toSorted((a, b) => -compare(a, b));
  const result: Slice[] = [];
  const outer: Slice[] = [];
  for (let next = pending.pop(); next; next = pending.pop()) {
    while (outer.length > 0 && (outer.at(-1) as Slice).end <= next.begin) outer.pop();
    const around = outer.at(-1);
    if (around && next.end > around.end) {
      insert(pending, { ...next, begin: around.end, args: { ...next.args, fromBefore: true } });
      next = { ...next, end: around.end, args: { ...next.args, goesOn: true } };
    }
    result.push(next);
    outer.push(next);
  }
  return result;
}

/** Of two that begin together, the longer is the outer one. */
function compare(a: Slice, b: Slice): number {
  return a.begin - b.begin || b.end - a.end;
}

/** Into slices of which the next is at the end. */
function insert(pending: Slice[], slice: Slice): void {
  let at = pending.length;
  while (at > 0 && compare(pending[at - 1], slice) < 0) at--;
  pending.splice(at, 0, slice);
}
