import t from 'tap';
import { PROFILE_NAMES, PROFILES, type Quirk } from '../../../../src/core/devices/quirks.js';
import { PRESET_NAMES } from '../../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../../src/core/locking/verdicts.js';
import { savedWords } from '../../../../src/core/machine/saved-state.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { highOf, lowOf, writeEntry } from '../../../support/redirection-entry.js';

const LEVEL = 0x8050;
const LOGICAL = 0x800;
const REMOTE_IRR = 0x4000;
const to = (destination: number) => (destination << 24) >>> 0;

const sent = (bench: BenchMachine) => bench.takeEvents().flatMap((e) => (e.kind === 'apic' ? [e.destination] : []));
const low = (bench: BenchMachine, pin = 16) => bench.readIoapic(lowOf(pin));

/** Whether a level message to this destination is accepted by one of 4 vCPUs with flat logical ids 1, 2, 4 and 0. */
const DESTINATIONS: readonly (readonly [mode: number, destination: number, accepted: boolean])[] = [
  ...[0, 3, 0xff].map((destination) => [0, destination, true] as const),
  ...[4, 9, 0xfe].map((destination) => [0, destination, false] as const),
  ...[1, 2, 4, 6, 0x81, 0xff].map((destination) => [LOGICAL, destination, true] as const),
  ...[0, 8, 0x80, 0xf8].map((destination) => [LOGICAL, destination, false] as const),
];

for (const profile of PROFILE_NAMES) {
  const waits = (PROFILES[profile] as readonly Quirk[]).includes('remote-irr-on-accept');
  const state = waits ? 'on' : 'off';

  t.test(
    `remote-irr-on-accept ${state}: remote IRR after a level message, by destination, with ${profile}`,
    async (t) => {
      t.equal(waits, profile !== 'qemu-11.1');
      for (const [mode, destination, accepted] of DESTINATIONS) {
        const bench = new BenchMachine({ profile, vcpus: 4 });
        for (const [vcpu, id] of [1, 2, 4, 0].entries()) bench.setLogicalId(vcpu, id);
        writeEntry(bench, 16, LEVEL | mode, to(destination));
        bench.setLine(16, 1);
        const isSent = accepted || !waits;
        const name = `${mode ? 'logical' : 'physical'} 0x${destination.toString(16)}`;
        t.same(sent(bench), isSent ? [destination] : [], name);
        t.equal(low(bench), LEVEL | mode | (isSent ? REMOTE_IRR : 0), name);
      }
    },
  );

  t.test(`remote-irr-on-accept ${state}: edge messages are sent to any destination with ${profile}`, async (t) => {
    const bench = new BenchMachine({ profile, vcpus: 4 });
    writeEntry(bench, 16, 0x50, to(9));
    for (const level of [1, 0, 1]) bench.setLine(16, level);
    t.same(sent(bench), [9, 9]);
  });
}

for (const profile of ['standard', 'datasheet'] as const) {
  for (const locking of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
    t.test(`${profile} under ${locking}: a corrected entry sends the request that is pending`, async (t) => {
      const bench = new BenchMachine({ profile, locking, vcpus: 4 });
      writeEntry(bench, 16, LEVEL, to(9));
      bench.setLine(16, 1);
      t.same(sent(bench), []);
      bench.writeIoapic(highOf(16), to(3));
      t.same(sent(bench), [3]);
      t.equal(low(bench), LEVEL | REMOTE_IRR);
      bench.endOfInterrupt(0x50);
      t.same(sent(bench), [3], 'the line is still high');
    });

    t.test(`${profile} under ${locking}: a later logical id sends the request that is pending, once`, async (t) => {
      const bench = new BenchMachine({ profile, locking, vcpus: 4 });
      writeEntry(bench, 16, LEVEL | LOGICAL, to(2));
      writeEntry(bench, 17, LEVEL | LOGICAL | 1, to(8));
      for (const pin of [16, 17]) bench.setLine(pin, 1);
      bench.setLogicalId(1, 4);
      t.same(sent(bench), []);
      bench.setLogicalId(1, 2);
      bench.setLogicalId(2, 2);
      t.match(bench.takeEvents(), [
        { kind: 'address', vcpu: 1, address: 2 },
        { kind: 'apic', pin: 16, destination: 2 },
        { kind: 'address', vcpu: 2, address: 2 },
      ]);
      bench.setLogicalId(1, 0);
      bench.setLogicalId(2, 0);
      bench.endOfInterrupt(0x50);
      t.same(sent(bench), [], 'no recipient is left');
      t.equal(low(bench), LEVEL | LOGICAL);
      bench.setLine(17, 0);
      bench.setLogicalId(3, 0xff);
      t.same(sent(bench), [2], 'a line that has gone low requests nothing');
    });
  }

  t.test(`${profile}: a snapshot restored among other vCPUs sends what is pending`, async (t) => {
    const bench = new BenchMachine({ profile, vcpus: 4 });
    writeEntry(bench, 16, LEVEL | LOGICAL, to(2));
    bench.setLine(16, 1);
    const copy = new BenchMachine({ profile, vcpus: 4 });
    copy.setLogicalId(0, 2);
    for (const { address, isSync } of savedWords()) {
      if (isSync) copy.machine.memory.store(address, bench.machine.memory.load(address));
      else copy.machine.memory.set(address, bench.machine.memory.get(address));
    }
    copy.takeEvents();
    copy.machine.chipset.ioapic.sendAccepted();
    t.same(sent(copy), [2]);
  });

  t.test(`${profile}: a machine that does not know its vCPUs sends every message`, async (t) => {
    const bench = new BenchMachine({ profile });
    writeEntry(bench, 16, LEVEL, to(9));
    bench.setLine(16, 1);
    t.same(sent(bench), [9]);
  });
}
