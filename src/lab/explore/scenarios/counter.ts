import { HPET, read, write } from '../requests.js';
import type { Scenario } from '../scenario.js';
import { pendingLevelTimer, turnOn } from './machines.js';

/** The main loop reads the main counter under the BQL, every 5 µs from its first iteration on. */
const counterLoad = { duty: 1000, hold: 5000, burn: false, readsCounter: true } as const;

/** The main counter's sequence lock: readers under lockless MMIO and under the BQL, against a writer. */
export const COUNTER: readonly Scenario[] = [
  {
    name: 'counter-toggle',
    description: 'a vCPU reads the main counter; another halts and restarts it',
    // Where MMIO is lockless, the read takes no lock. It must see one state of the counter, not half of two.
    before: [turnOn],
    times: [10_000],
    vcpus: [
      [read(HPET.COUNTER), read(HPET.COUNTER)],
      [write(HPET.CONFIGURATION, 0), write(HPET.CONFIGURATION, HPET.ON)],
    ],
  },
  {
    name: 'counter-bql',
    description: 'the main loop reads the main counter under the BQL; a vCPU turns the HPET off and on',
    // A reader that holds the BQL waits for the writer, so the writer must not wait for the BQL.
    machine: { load: counterLoad },
    before: pendingLevelTimer,
    times: [15_000],
    vcpus: [[write(HPET.CONFIGURATION, 0), write(HPET.CONFIGURATION, HPET.ON)]],
  },
  {
    name: 'seqlock-legacy',
    description: 'the main loop reads the main counter under the BQL; a vCPU turns the HPET off; `seqlock: legacy`',
    // QEMU 10.2 raises interrupts inside the counter's write section: a reader that holds the BQL spins forever.
    machine: { seqlock: 'legacy', load: counterLoad },
    before: pendingLevelTimer,
    times: [15_000],
    vcpus: [[write(HPET.CONFIGURATION, 0)]],
  },
];
