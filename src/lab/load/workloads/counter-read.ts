import type { Bench, Workload } from '../bench.js';
import { MAIN_COUNTER } from '../registers.js';
import type { Station } from '../station.js';

/** The highest value that any vCPU of a machine has read. */
const highest = new WeakMap<Bench, bigint>();

/** Reads the main counter, which must not be behind what any vCPU had read when this read was asked for. */
export async function readCounter(station: Station, bench: Bench): Promise<void> {
  const before = highest.get(bench) ?? 0n;
  const now = await station.read(MAIN_COUNTER, 8);
  if (now < before) bench.fault(`vCPU ${station.index} read the main counter as ${now} after it had been ${before}`);
  if (now > (highest.get(bench) ?? 0n)) highest.set(bench, now);
}

export const counterRead: Workload = {
  name: 'counter-read',
  summary: 'reads of the main counter, which must never go back, whichever vCPU reads',
  overlaps: true,
  async operate(station, bench) {
    await readCounter(station, bench);
    return undefined;
  },
};
