import type { SouthbridgeError } from '../../errors.js';

/** Told of a request's end, after everything that it caused: an error, or the halves of the value of a read. */
export type Answer = (error: SouthbridgeError | undefined, low: number, high: number) => void;

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
