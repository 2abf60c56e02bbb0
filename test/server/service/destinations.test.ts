import t from 'tap';
import {
  ENABLE,
  FSB,
  GENERAL_CONFIGURATION,
  LOGICAL,
  pulse,
  timerComparator,
  timerConfiguration,
  timerFsbRoute,
  writeEntry,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const LOWEST_PRIORITY = 1 << 8;

/** Logical ids of vCPUs 0 to 3, by format. */
const APICS = {
  flat: [0x01, 0x02, 0x04, 0x80],
  cluster: [0x11, 0x12, 0x21, 0x18],
} as const;

/** Format, bits of the entry, destination, and the vCPUs that get it. */
const CASES: readonly (readonly ['flat' | 'cluster', number, number, readonly number[]])[] = [
  ['flat', 0, 2, [2]],
  ['flat', 0, 9, []],
  ['flat', 0, 0xff, [0, 1, 2, 3]],
  ['flat', LOGICAL, 0x02, [1]],
  ['flat', LOGICAL, 0x85, [0, 2, 3]],
  ['flat', LOGICAL, 0x78, []],
  ['flat', LOGICAL, 0xff, [0, 1, 2, 3]],
  ['flat', LOGICAL | LOWEST_PRIORITY, 0x06, [1]],
  ['flat', LOWEST_PRIORITY, 0xff, [0]],
  ['cluster', LOGICAL, 0x11, [0]],
  ['cluster', LOGICAL, 0x1f, [0, 1, 3]],
  ['cluster', LOGICAL, 0x21, [2]],
  ['cluster', LOGICAL, 0x31, []],
  ['cluster', LOGICAL, 0xff, [0, 1, 2, 3]],
  ['cluster', LOGICAL | LOWEST_PRIORITY, 0x1a, [1]],
];

/** MSI address bits 19:0, and the vCPUs that get it; logical ids are the flat ones. */
const MESSAGES: readonly (readonly [number, readonly number[]])[] = [
  [0xfee02000, [2]],
  [0xfeeff000, [0, 1, 2, 3]],
  [0xfee05004, [0, 2]],
  [0xfee0500c, [0]],
  [0xfee02008, [2]],
  [0xfed02000, []],
];

t.test('interrupt messages reach the vCPUs that they address', async (t) => {
  const server = await TestServer.start({
    machines: [{ name: 'm', clock: 'manual', vcpus: 4, hpet: { msi: true } }],
  });
  t.teardown(server.stop);
  const vcpus = await Promise.all([0, 1, 2, 3].map((vcpu) => server.connect('m', vcpu)));
  const [boot] = vcpus;
  const setApics = (format: 'flat' | 'cluster') =>
    Promise.all(vcpus.map((client, n) => client.request({ type: 'apic', logicalId: APICS[format][n], format })));
  let vector = 0x20;
  const reached = async (cause: (vector: number) => Promise<void>) => {
    const used = vector++;
    await cause(used);
    await Promise.all(vcpus.map((client) => client.request({ type: 'sync' })));
    return [0, 1, 2, 3].filter((n) => vcpus[n].interrupts.some((message) => message.vector === used));
  };

  for (const [format, bits, destination, expected] of CASES) {
    await setApics(format);
    const got = await reached(async (used) => {
      await writeEntry(boot, 5, used | bits, destination);
      await pulse(boot, 5);
    });
    t.same(got, expected, `${format} ${bits.toString(16)} to ${destination.toString(16)}`);
  }

  await setApics('flat');
  await boot.write(GENERAL_CONFIGURATION, 8, 1);
  await boot.write(timerConfiguration(0), 8, ENABLE | FSB);
  for (const [address, expected] of MESSAGES) {
    const got = await reached(async (used) => {
      await boot.write(timerFsbRoute(0), 8, (BigInt(address) << 32n) | BigInt(used | 0x8000));
      await boot.write(timerComparator(0), 8, 0);
    });
    t.same(got, expected, `MSI to ${address.toString(16)}`);
  }
  t.match(boot.interrupts.at(-1), { triggerMode: 'level', destinationMode: 'logical', destination: 5 });
});
