import { HPET_BASE, MAIN_COUNTER } from '../src/devices/hpet/registers.js';
import { measure } from './measure.js';
import { COMPARATOR, OneThread, running, writeHpet } from './one-thread.js';
import { type Row, row } from './rows.js';

/** What an access costs on the thread that carries it out, with nobody else about. */
export async function rows(): Promise<Row[]> {
  const machine = running(new OneThread(1), 0, 'lockless-timer');
  let low = 0;
  const read = measure(() => machine.read(HPET_BASE + MAIN_COUNTER, 8));
  const write = measure(() => writeHpet(machine, COMPARATOR, low++, 1));
  return [
    row('in process: main counter read, lockless-timer', read, 'ns', { better: 'lower', target: 150 }),
    row('in process: comparator write with re-arm, lockless-timer', write, 'ns', { better: 'lower', target: 600 }),
  ];
}
