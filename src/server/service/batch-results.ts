import type { SouthbridgeError } from '../../errors.js';
import type { Access } from '../../protocol/client-message.js';
import type { BatchResults } from '../../protocol/server-message.js';

/** What the accesses of a batch gave so far. */
export interface BatchRoom extends BatchResults {
  readonly faults: BatchResults['faults'][number][];
}

/** Room for what these accesses give. */
export function batchResults(accesses: readonly Access[]): BatchRoom {
  const sizes = new Uint8Array(accesses.length);
  for (let index = 0; index < sizes.length; index++) sizes[index] = accesses[index].write ? 0 : accesses[index].size;
  return { values: new Uint32Array(2 * accesses.length), sizes, faults: [] };
}

export function fillResult(
  { values, sizes, faults }: BatchRoom,
  index: number,
  error: SouthbridgeError | undefined,
  low: number,
  high: number,
): void {
  if (error) faults.push({ index, error: error.toJSON().error });
  else if (sizes?.[index] !== 0) {
    values[2 * index] = low;
    values[2 * index + 1] = high;
  }
}
