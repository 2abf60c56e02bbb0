import type { LoadedMachine, Workload } from '../loaded-machine.js';
import { MAIN_COUNTER } from '../registers.js';
import type { VcpuDriver } from '../vcpu-driver.js';

/** The highest value that any vCPU of a machine has read. */
const highest = new WeakMap<LoadedMachine, bigint>();

/** Reads the main counter. The value must not be below any value that a vCPU had read before this read began. */
export async function readCounter(driver: VcpuDriver, machine: LoadedMachine): Promise<void> {
  const before = highest.get(machine) ?? 0n;
  const now = await driver.read(MAIN_COUNTER, 8);
  if (now < before) machine.fault(`vCPU ${driver.index} read the main counter as ${now} after it had been ${before}`);
  if (now > (highest.get(machine) ?? 0n)) highest.set(machine, now);
}

export const counterRead: Workload = {
  name: 'counter-read',
  summary: 'reads of the main counter, which must never go back across all vCPUs',
  overlaps: true,
  async operate(driver, machine) {
    await readCounter(driver, machine);
    return undefined;
  },
};
