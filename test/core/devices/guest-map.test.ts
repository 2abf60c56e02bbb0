import t from 'tap';
import * as guest from '../../../src/core/devices/guest-map.js';
import { U64 } from '../../../src/core/memory/u64.js';
import { SouthbridgeError } from '../../../src/errors.js';
import { checkAccess } from '../../../src/server/streams/access.js';
import { BenchMachine } from '../../support/bench-machine.js';

const EDGES = [
  guest.HPET_BASE,
  guest.HPET_BASE + guest.HPET_SIZE,
  guest.IOAPIC_BASE,
  guest.IOAPIC_BASE + guest.IOAPIC_SIZE,
];
const ADDRESSES = EDGES.flatMap((edge) => Array.from({ length: 17 }, (_, i) => edge + i - 8));

t.test('machine and server answer at the addresses of the map, and nowhere else', async (t) => {
  const { machine } = new BenchMachine();
  for (const address of ADDRESSES) {
    for (const size of [1, 2, 4, 8]) {
      const isAssigned = guest.deviceAt(address, size) !== guest.NO_DEVICE;
      const where = `${size} bytes at 0x${address.toString(16)}`;
      t.equal(machine.read(address, size), isAssigned, `read of ${where}`);
      t.equal(machine.write(address, size, new U64()), isAssigned, `write of ${where}`);
      const check = () => checkAccess({ write: false, posted: false, address, size, low: 0, high: 0 });
      if (isAssigned) t.doesNotThrow(check, where);
      else t.throws(check, { code: 'address-unassigned' }, where);
    }
  }
});

t.test('the error for an unassigned address names the ranges of the map', async (t) => {
  const { message } = new SouthbridgeError('address-unassigned', { address: '0x0', size: 4 });
  for (const [base, size] of [
    [guest.HPET_BASE, guest.HPET_SIZE],
    [guest.IOAPIC_BASE, guest.IOAPIC_SIZE],
  ]) {
    t.match(message, `0x${base.toString(16)}–0x${(base + size - 1).toString(16)}`);
  }
});

t.test('the 8259 pair answers at its six ports, and nowhere else', async (t) => {
  const { machine } = new BenchMachine();
  const answering = Array.from({ length: 0x600 }, (_, port) => port).filter(
    (port) => machine.portRead(port) !== undefined,
  );
  t.strictSame(answering, [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1]);
  t.strictSame(answering.filter(guest.isPicPort), answering);
});
