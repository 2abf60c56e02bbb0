import type { LoadedMachine, Workload } from '../loaded-machine.js';
import { MASKED } from '../registers.js';
import type { VcpuDriver } from '../vcpu-driver.js';
import { expectNoMore } from './timer-tick.js';

const MOST_PULSES = 8;

/** Another vCPU pulses this vCPU's pin, so that the edges race with this vCPU's writes to the entry. */
async function pulse(driver: VcpuDriver, { drivers }: LoadedMachine, count: number): Promise<void> {
  const { vcpu } = drivers[(driver.index + 1) % drivers.length];
  const edges: Promise<void>[] = [];
  for (let edge = 0; edge < count; edge++) edges.push(vcpu.setLine(driver.pin, 1), vcpu.setLine(driver.pin, 0));
  await Promise.all(edges);
}

/** Consumes `least` to `most` interrupts. The server sent those that the pulses caused before it replied to the pulses. */
async function expect(
  driver: VcpuDriver,
  { drivers, ledger, patience }: LoadedMachine,
  least: number,
  most: number,
): Promise<void> {
  // Interrupts can go to any vCPU, each on its own connection.
  await Promise.all(drivers.map(({ vcpu }) => vcpu.sync()));
  for (let count = 0; count < least; count++) {
    const arrived = await driver.next(patience);
    if (arrived === undefined) ledger.missing(driver.index, `an edge on pin ${driver.pin} was never delivered`);
  }
  driver.take(most - least);
  for (let left = driver.take(); left > 0; left--) {
    ledger.surplus(driver.index, `pin ${driver.pin} was delivered more often than it had an edge while unmasked`);
  }
}

/** Edges on a masked pin are lost (82093AA, 3.2.4). Edges on an unmasked pin are delivered to any destination. */
export const rteChurn: Workload = {
  name: 'rte-churn',
  summary: 'entries are masked, unmasked and redirected while their pins are pulsed; each edge must be delivered once',
  needs: 'pin',
  async prepare(driver, { ioapic }) {
    await ioapic.write(driver, driver.pin, driver.vector, driver.index);
  },
  async operate(driver, machine) {
    const { ioapic, drivers } = machine;
    const { random, pin } = driver;
    const vector = random.below(2) ? driver.vector : driver.otherVector;
    const count = 1 + random.below(MOST_PULSES);
    const choice = random.below(4);
    if (choice === 0) {
      // Masked: no edge may be delivered, now or later.
      await ioapic.writeLow(driver, pin, vector | MASKED);
      await pulse(driver, machine, count);
      await ioapic.writeLow(driver, pin, vector);
      await expect(driver, machine, 0, 0);
    } else if (choice === 1) {
      // Masked and unmasked at the same time: which edges find the pin masked is unknown.
      const churn = async () => {
        await ioapic.writeLow(driver, pin, vector | MASKED);
        await ioapic.writeLow(driver, pin, vector);
      };
      await Promise.all([pulse(driver, machine, count), churn()]);
      await expect(driver, machine, 0, count);
    } else {
      // Redirected to another vCPU and vector at the same time: every edge is delivered to one of the two.
      const destination = random.below(drivers.length);
      await Promise.all([pulse(driver, machine, count), ioapic.write(driver, pin, vector, destination)]);
      await expect(driver, machine, count, count);
    }
    return undefined;
  },
  finish: expectNoMore,
};
