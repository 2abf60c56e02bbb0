import { HPET_BASE, IOAPIC_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER, TIMER_BLOCKS } from '../src/core/devices/hpet/registers.js';
import { IOREDTBL, IOREGSEL, IOWIN } from '../src/core/devices/ioapic/registers.js';
import { U64 } from '../src/core/memory/u64.js';
import { COMPARATOR, OneThread, running, writeHpet } from './one-thread.js';

/** Accesses of one turn. */
export const ACCESSES = 9;

const PIN = 5;
const MASKED = 1 << 16;

/**
 * Turns of accesses to a machine in this process: counter, timer and redirection entry, read and written; a line that goes
 * high and low. With its module, and all that it imports, loaded twice there are two that share no compiled code.
 */
export function turns(): (times: number) => void {
  const laboratory = new OneThread(1);
  const machine = running(laboratory, 0, 'lockless-timer');
  const { events } = laboratory.host;
  const value = new U64();
  const writeIoapic = (offset: number, low: number) => machine.write(IOAPIC_BASE + offset, 4, value.set(low, 0));
  return (times) => {
    for (let i = 0; i < times; i++) {
      machine.read(HPET_BASE + MAIN_COUNTER, 8);
      writeHpet(machine, COMPARATOR, i, 1);
      machine.read(HPET_BASE + TIMER_BLOCKS, 8);
      machine.read(HPET_BASE + COMPARATOR, 8);
      writeIoapic(IOREGSEL, IOREDTBL + 2 * PIN);
      writeIoapic(IOWIN, MASKED | (i & 0xff));
      machine.read(IOAPIC_BASE + IOWIN, 4);
      machine.setLine(PIN, 1);
      machine.setLine(PIN, 0);
      // As the gateway does; who changes a line waits for room.
      events.drain(16, () => {});
    }
  };
}
