/** One event as the event ring stores it. Only `machine/events.ts` knows what `a`, `b` and `c` hold. */
export interface EventWords {
  kind: number;
  cause: number;
  a: number;
  b: number;
  c: number;
  /** Virtual ns from 0. */
  virtualTime: number;
  /** The deadline of the timer that caused the event, in virtual ns, or −1. */
  deadline: number;
}

export function emptyEvent(): EventWords {
  return { kind: 0, cause: 0, a: 0, b: 0, c: 0, virtualTime: 0, deadline: -1 };
}
