import type { Answer } from './machine-handle.js';

/** Halves of the value of a read; of anything else, 0. */
export interface Result {
  readonly low: number;
  readonly high: number;
}

/** A request to a machine as a promise, which comes after everything that the request caused. */
export function promised(request: (answer: Answer) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    request((error, low, high) => (error ? reject(error) : resolve({ low, high })));
  });
}
