import t from 'tap';
import { SOURCE_PIT } from '../../../src/core/devices/gsi/sources.js';
import { LineDecisions } from '../../../src/core/locking/line-decisions.js';
import { PRESET_NAMES, type PresetName } from '../../../src/core/locking/presets.js';
import { LOAD_TURN } from '../../../src/core/machine/turn.js';
import { copyState, VIEW_HPET, VIEW_INTERRUPT_CONTROLLERS } from '../../../src/core/machine/view.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { BenchMachine } from '../../support/bench-machine.js';
import { CheckedMemory } from '../../support/checked-memory.js';

const LOAD = { duty: 500, hold: 1, burn: true };

/** What a machine does from its creation to its end. */
function live(locking: PresetName): void {
  const bench = new BenchMachine({ locking, vcpus: 1, memory: (buffer) => new CheckedMemory(buffer) });
  const { due, machine, mainLoop } = bench;
  for (const [offset, value] of [
    [0x100, (4 << 9) | 0x4e],
    [0x108, 1000],
    [0x10, 3],
    [0x20, 1],
    [0xf0, 5],
  ]) {
    bench.writeHpet(offset, value);
  }
  bench.readHpet(0xf0);
  bench.setLine(9, 1);
  bench.setLogicalId(0, 1);
  bench.writeIoapic(0x12, 0x8034);
  bench.readIoapic(0x12);
  bench.endOfInterrupt(0x34);
  bench.portWrite(0x21, 0xff);
  bench.portRead(0x21);
  bench.setLegacyInput(SOURCE_PIT, 0);
  bench.advance(25_000);
  due.steps.cancel(true);
  due.steps.allow();
  due.load.configure(LOAD);
  due.load.options;
  mainLoop.run();
  mainLoop.nextHostTime();
  due.load.turn.take(LOAD_TURN);
  due.load.hold();
  mainLoop.run();
  due.load.turn.leave(LOAD_TURN);
  mainLoop.run();
  const { transfer = 0 } = machine.chipset.host;
  copyState(machine, VIEW_HPET, transfer);
  copyState(machine, VIEW_INTERRUPT_CONTROLLERS, transfer);
  due.control.isDone;
  bench.reset();
  bench.restore(bench.save(), 50_000);
  const decisions = machine.chipset.decisions;
  decisions.refuse(4, 1, 1);
  decisions.takeRefused(4, 1);
  decisions.refusedLevel(4, 1);
  decisions.made();
  due.freeze();
}

t.test('a machine accesses synchronisation words by atomics alone, data plainly, and no undeclared word', async (t) => {
  for (const locking of PRESET_NAMES) {
    CheckedMemory.faults.clear();
    live(locking);
    t.strictSame([...CheckedMemory.faults], [], locking);
  }
});

t.test(
  'a refused level of one line is made up for once, with the newest level, whatever other lines have',
  async (t) => {
    const decisions = new LineDecisions(SharedMemory.ofWords(4096));
    decisions.refuse(4, 1, 1);
    decisions.refuse(5, 1, 1);
    decisions.refuse(4, 1, 0);
    t.equal(decisions.takeRefused(4, 1), true);
    t.equal(decisions.takeRefused(4, 1), false, 'once');
    t.equal(decisions.refusedLevel(4, 1), 0);
    t.equal(decisions.takeRefused(5, 1), true);
    t.equal(decisions.refusedLevel(5, 1), 1);
  },
);
