import { HPET_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../src/core/devices/hpet/registers.js';
import { measure, twice } from './measure.js';
import { COMPARATOR, OneThread, running, writeHpet } from './one-thread.js';
import { absoluteRows, type Row } from './rows.js';

/** What an access costs on the thread that carries it out, with nobody else about; each twice in a round. */
export async function rows(): Promise<Row[]> {
  const machine = running(new OneThread(1), 0, 'lockless-timer');
  let low = 0;
  return [
    ...(await measured('main counter read', 150, () => machine.read(HPET_BASE + MAIN_COUNTER, 8))),
    ...(await measured('comparator write with re-arm', 600, () => writeHpet(machine, COMPARATOR, low++, 1))),
  ];
}

async function measured(name: string, target: number, call: () => void): Promise<Row[]> {
  const figures = await twice(() => measure(call));
  return absoluteRows(`in process: ${name}, lockless-timer`, 'ns', { better: 'lower', target }, figures);
}
