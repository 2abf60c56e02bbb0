import type { Bench, Workload } from '../bench.js';
import { MASKED } from '../registers.js';
import type { Station } from '../station.js';
import { expectNoMore } from './timer-tick.js';

const MOST_PULSES = 8;

/** Pulses on a vCPU's pin, driven by another one, so that they meet what this one does to the entry. */
async function pulse(station: Station, { stations }: Bench, count: number): Promise<void> {
  const { vcpu } = stations[(station.index + 1) % stations.length];
  const edges: Promise<void>[] = [];
  for (let edge = 0; edge < count; edge++) edges.push(vcpu.setLine(station.pin, 1), vcpu.setLine(station.pin, 0));
  await Promise.all(edges);
}

/** Takes `least` interrupts, and up to `most`; what the pulses caused was sent before they were answered. */
async function expect(
  station: Station,
  { stations, ledger, patience }: Bench,
  least: number,
  most: number,
): Promise<void> {
  // Interrupts may have gone to any vCPU, each by its own connection.
  await Promise.all(stations.map(({ vcpu }) => vcpu.sync()));
  for (let count = 0; count < least; count++) {
    const came = await station.next(patience);
    if (came === undefined) ledger.missing(station.index, `an edge on pin ${station.pin} was never delivered`);
  }
  station.take(most - least);
  for (let left = station.take(); left > 0; left--) {
    ledger.surplus(station.index, `pin ${station.pin} was delivered more often than it had an edge while unmasked`);
  }
}

/** Edges on a masked pin are lost (82093AA, 3.2.4), on any other they are not, wherever the entry says they go. */
export const rteChurn: Workload = {
  name: 'rte-churn',
  summary: 'entries are masked, unmasked and sent elsewhere while their pins are pulsed; each edge must count once',
  needs: 'pin',
  async prepare(station, { ioapic }) {
    await ioapic.write(station, station.pin, station.vector, station.index);
  },
  async operate(station, bench) {
    const { ioapic, stations } = bench;
    const { random, pin } = station;
    const vector = random.below(2) ? station.vector : station.otherVector;
    const count = 1 + random.below(MOST_PULSES);
    const choice = random.below(4);
    if (choice === 0) {
      // Masked: none of the edges may be delivered, nor kept for later.
      await ioapic.writeLow(station, pin, vector | MASKED);
      await pulse(station, bench, count);
      await ioapic.writeLow(station, pin, vector);
      await expect(station, bench, 0, 0);
    } else if (choice === 1) {
      // Masked and unmasked meanwhile: nobody can say which edges meet a mask.
      const churn = async () => {
        await ioapic.writeLow(station, pin, vector | MASKED);
        await ioapic.writeLow(station, pin, vector);
      };
      await Promise.all([pulse(station, bench, count), churn()]);
      await expect(station, bench, 0, count);
    } else {
      // Sent to another vCPU, with another vector, meanwhile: every edge is delivered, here or there.
      const destination = random.below(stations.length);
      await Promise.all([pulse(station, bench, count), ioapic.write(station, pin, vector, destination)]);
      await expect(station, bench, count, count);
    }
    return undefined;
  },
  finish: expectNoMore,
};
