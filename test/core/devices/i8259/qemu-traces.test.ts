import { readFileSync } from 'node:fs';
import t from 'tap';
import type { PresetName } from '../../../../src/core/locking/presets.js';
import { savedWords } from '../../../../src/core/machine/saved-state.js';
import { PIC } from '../../../lab/replay/vectors.js';
import { BenchMachine } from '../../../support/bench-machine.js';

interface Line {
  readonly op?: 'in' | 'out' | 'irq' | 'inta';
  readonly port: string;
  readonly value: string;
  readonly irq: number;
  readonly level: number;
  readonly vector: number;
}

/** A machine with the state of another, as after a snapshot and its restore. */
function copyOf(bench: BenchMachine, locking: PresetName): BenchMachine {
  const copy = new BenchMachine({ profile: 'qemu-11.1', locking });
  for (const { address, isSync } of savedWords()) {
    if (isSync) copy.machine.memory.store(address, bench.machine.memory.load(address));
    else copy.machine.memory.set(address, bench.machine.memory.get(address));
  }
  return copy;
}

/** What a line of a trace says, as the machine does it. */
function perform(bench: BenchMachine, line: Line): Line {
  switch (line.op) {
    case 'in':
      return { ...line, value: `0x${bench.portRead(Number(line.port)).toString(16).padStart(2, '0')}` };
    case 'inta':
      return { ...line, vector: bench.acknowledgeInterrupt() };
    case 'out':
      bench.portWrite(Number(line.port), Number(line.value));
      return line;
    default:
      bench.setLine(line.irq, line.level);
      return line;
  }
}

t.test('a snapshot and its restore, after every third step of every trace, change nothing', async (t) => {
  for (const { file } of PIC) {
    const lines: Line[] = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((text) => JSON.parse(text));
    let bench = new BenchMachine({ profile: 'qemu-11.1', locking: 'bql' });
    const got: object[] = [];
    for (const [number, line] of lines.entries()) {
      if (!line.op) continue;
      if (number % 3 === 2) bench = copyOf(bench, number % 2 ? 'lockless-irq' : 'bql');
      bench.takeEvents();
      got.push(perform(bench, line));
      for (const event of bench.takeEvents()) if (event.kind === 'intr') got.push({ out: 'intr', level: event.level });
    }
    t.same(got, lines, file);
  }
});
