export type Status = 'ok' | 'warn' | 'fail';

/** What was found of one thing that a server depends on. */
export interface Check {
  readonly name: string;
  readonly status: Status;
  /** What is the case. */
  readonly found: string;
  /** What to do, unless it is ok. */
  readonly advice?: string;
}

export function ok(name: string, found: string): Check {
  return { name, status: 'ok', found };
}

export function warn(name: string, found: string, advice: string): Check {
  return { name, status: 'warn', found, advice };
}

export function fail(name: string, found: string, advice: string): Check {
  return { name, status: 'fail', found, advice };
}
