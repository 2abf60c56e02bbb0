import t from 'tap';
import { INTERRUPT_STATUS, MAIN_COUNTER, TIMER_BLOCKS } from '../../src/devices/hpet/registers.js';
import { IOREDTBL, MASKED } from '../../src/devices/ioapic/registers.js';
import { PRESETS, type PresetName } from '../../src/locking/presets.js';
import { EVENT_LINE } from '../../src/machine/events.js';
import { LiveMachine } from '../support/live-machine.js';
import { tier } from '../support/tier.js';

const VCPUS = 4;
/** Timers 0–3 are one-shot, edge, one per vCPU; timer 4 is level-triggered, and all vCPUs acknowledge it. */
const LEVEL_TIMER = 4;
const LEVEL_LINE = 20;
const LEVEL_VECTOR = 0x44;
const EXTERNAL_LINE = 5;

const timer = (number: number) => TIMER_BLOCKS + 0x20 * number;
const routed = (line: number) => (line << 9) | (1 << 2);
const safe = (Object.keys(PRESETS) as PresetName[]).filter((name) => PRESETS[name].class === 'safe');

/** Four vCPU threads hammer HPET and IOAPIC, each in step with its own timer, while the main loop has other work. */
async function hammer(machine: LiveMachine, raised: Map<number, () => void>, enough: () => boolean): Promise<number[]> {
  const armed = [0, 0, 0, 0];
  await Promise.all(
    armed.map(async (_, vcpu) => {
      for (let round = 0; !enough() || round < tier.stressRounds; round++) {
        const fired = new Promise<void>((resolve) => raised.set(vcpu, resolve));
        const now = await machine.readHpet(vcpu, MAIN_COUNTER);
        armed[vcpu]++;
        await Promise.all([
          machine.writeHpet(vcpu, timer(vcpu) + 8, now + (round % 5) * 1000),
          machine.readHpet(vcpu, MAIN_COUNTER),
          machine.writeHpet(vcpu, INTERRUPT_STATUS, 1 << LEVEL_TIMER),
          machine.endOfInterrupt(vcpu, LEVEL_VECTOR),
          vcpu === 0 && machine.writeIoapic(vcpu, IOREDTBL + 2 * 21, round & 1 ? MASKED : 0x50),
          vcpu === 1 && machine.setLine(vcpu, EXTERNAL_LINE, round & 1),
          vcpu === 2 && machine.writeHpet(vcpu, timer(LEVEL_TIMER) + 8, now + 500),
        ]);
        await fired;
      }
    }),
  );
  return armed;
}

for (const name of safe) {
  t.test(`${name}: four vCPU threads and the main loop`, async (t) => {
    const fired = [0, 0, 0, 0];
    const raised = new Map<number, () => void>();
    const machine = await LiveMachine.start(PRESETS[name], VCPUS, (event) => {
      if (event.kind !== EVENT_LINE || event.b === 0 || event.cause >= VCPUS) return;
      fired[event.cause]++;
      raised.get(event.cause)?.();
    });
    await machine.writeIoapic(0, IOREDTBL + 2 * LEVEL_LINE, 0x8000 | LEVEL_VECTOR);
    for (let vcpu = 0; vcpu < VCPUS; vcpu++) await machine.writeHpet(0, timer(vcpu), routed(16 + vcpu));
    await machine.writeHpet(0, timer(LEVEL_TIMER), routed(LEVEL_LINE) | (1 << 1));
    await machine.writeHpet(0, 0x10, 1);
    machine.loadBql({ duty: 300, hold: 200_000, burn: false });

    // Under the big lock alone nobody is ever inside together with another; elsewhere go on until that was seen.
    const serial = PRESETS[name].mmio.underBql;
    const enough = () => machine.counts().contended > 0 && (serial || machine.counts().overlapped > 0);
    const armed = await hammer(machine, raised, enough);

    t.same(fired, armed, 'every one-shot fired once');
    t.ok(machine.counts().contended > 0, 'threads waited for locks');
    if (serial) t.equal(machine.counts().overlapped, 0, 'never two threads inside the devices');
    else t.ok(machine.counts().overlapped > 0, 'two threads were inside the devices at once');

    machine.loadBql({ duty: 0, hold: 0, burn: false });
    await machine.engine.round();
    const status = await machine.readHpet(0, INTERRUPT_STATUS);
    t.equal(
      machine.sources(LEVEL_LINE),
      status & (1 << LEVEL_TIMER),
      'the level timer holds its line as its status says',
    );
    for (let line = 0; line < 24; line++) {
      t.equal(machine.level(line), machine.sources(line) ? 1 : 0, `line ${line} is the OR of its sources`);
    }
    t.same(machine.deadlocks(), [], 'no deadlock');
    t.same(machine.inversions(), [], 'no lock order inversion');
    t.match(machine.deferred(), { late: 0, inverted: 0 }, 'no stale update');
    await machine.close();
  });
}
