import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { southbridge } from '../support/program.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Type and bytes of each entry of a MADT. */
function entriesOf(madt: Buffer): [type: number, bytes: string][] {
  const entries: [number, string][] = [];
  for (let at = 44; at < madt.length; at += madt[at + 1]) {
    entries.push([madt[at], madt.subarray(at, at + madt[at + 1]).toString('hex')]);
  }
  return entries;
}

t.test('southbridge acpi prints tables that fit a machine', async (t) => {
  const { status, stdout } = southbridge(['acpi', '--vcpus', '2', '--timers', '4', '--ioapic-id', '5', '--json']);
  t.equal(status, 0);
  const { HPET, APIC } = JSON.parse(stdout);
  const [hpet, madt] = [Buffer.from(HPET, 'hex'), Buffer.from(APIC, 'hex')];
  for (const [signature, table] of [
    ['HPET', hpet],
    ['APIC', madt],
  ] as const) {
    t.equal(table.toString('latin1', 0, 4), signature);
    t.equal(table.readUInt32LE(4), table.length, 'length');
    t.equal(table.reduce((sum, byte) => sum + byte, 0) & 0xff, 0, 'checksum');
  }
  const server = await TestServer.start({ machines: [{ name: 'm', hpet: { timers: 4 } }] });
  t.teardown(server.stop);
  const { value } = await server.get('/v1/machines/m/mmio/0xfed00000?size=4');
  t.equal(hpet.length, 56);
  t.equal(hpet.readUInt32LE(36), Number(value), 'the event timer block is that of the device');
  t.equal(hpet.readBigUInt64LE(44), 0xfed00000n);
  t.same(entriesOf(madt), [
    [0, '0008000001000000'],
    [0, '0008010101000000'],
    [1, '010c05000000c0fe00000000'],
    [2, '020a0000020000000000'],
  ]);
  t.equal(madt.readUInt32LE(36), 0xfee00000);
  t.equal(madt.readUInt32LE(40), 1, 'with an 8259 pair');
});

t.test('as files, and as a dump', async (t) => {
  const folder = join(temporaryFolder(t), 'tables');
  t.match(southbridge(['acpi', '--output', folder, '--no-pic']), { status: 0, stdout: /HPET\.bin: 56 bytes\n/ });
  t.equal(readFileSync(join(folder, 'APIC.bin')).readUInt32LE(40), 0, 'without an 8259 pair');
  t.match(southbridge(['acpi', '--output', '/dev/null/x']), { status: 2, stderr: /^error: / });
  t.match(southbridge(['acpi']).stdout, /^HPET @ 0x0{16}\n {2}0000: 48 50 45 54 38 00 00 00 01 /);
  t.match(southbridge(['acpi', '--vcpus', '65']), { status: 2, stderr: /from 1 to 64/ });
});
