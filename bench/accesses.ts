import { HPET_BASE, MAIN_COUNTER } from '../src/devices/hpet/registers.js';
import { measure, median } from './measure.js';
import { COMPARATOR, OneThread, running, writeHpet } from './one-thread.js';
import { type Row, row, selfRow } from './rows.js';

const ROUNDS = 9;

/** What an access costs on the thread that carries it out, with nobody else about; each twice in a round. */
export async function rows(): Promise<Row[]> {
  const machine = running(new OneThread(1), 0, 'lockless-timer');
  let low = 0;
  return [
    ...twice('main counter read', 150, () => machine.read(HPET_BASE + MAIN_COUNTER, 8)),
    ...twice('comparator write with re-arm', 600, () => writeHpet(machine, COMPARATOR, low++, 1)),
  ];
}

function twice(name: string, target: number, call: () => void): Row[] {
  const first: number[] = [];
  const second: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    first.push(measure(call));
    second.push(measure(call));
  }
  const self = selfRow('the same to itself', 'ns', 'lower', first, second);
  const claim = { better: 'lower', target, spread: self.spread } as const;
  return [row(`in process: ${name}, lockless-timer`, median([...first, ...second]), 'ns', claim), self.row];
}
