import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Qtest, qtestLine } from '../../bench/wire/qtest.js';
import type { Access } from '../../src/protocol/client-message.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const read = (address: number, size: number): Access => ({
  write: false,
  posted: false,
  address,
  size,
  low: 0,
  high: 0,
});
const write = (address: number, size: number, low: number, high = 0): Access => ({
  write: true,
  posted: false,
  address,
  size,
  low,
  high,
});

/** As much of a QEMU as a benchmark talks to; it refuses to read from address 0. */
const FAKE = `
  const socket = require('node:net').connect(process.env.QTEST_SOCKET);
  let rest = '';
  socket.setEncoding('latin1').on('data', (text) => {
    const lines = (rest + text).split('\\n');
    rest = lines.pop();
    for (const line of lines) {
      const [command, address] = line.split(' ');
      if (address === '0x0') socket.write('FAIL Unknown command\\n');
      else if (command.startsWith('read')) socket.write('IRQ raise 4\\nOK 0x0000000000000001\\n');
      else socket.write('OK\\n');
    }
  });
  socket.on('close', () => process.exit());
`;

t.test('accesses are lines of qtest', async (t) => {
  t.equal(qtestLine(read(0xfed000f0, 8)), 'readq 0xfed000f0\n');
  t.equal(qtestLine(read(0xfec00010, 4)), 'readl 0xfec00010\n');
  t.equal(qtestLine(write(0xfec00000, 4, 0x10)), 'writel 0xfec00000 0x10\n');
  t.equal(qtestLine(write(0xfed00108, 8, 5, 0xffffffff)), 'writeq 0xfed00108 0xffffffff00000005\n');
});

t.test('a process starts, runs with several groups in flight, and ends', async (t) => {
  const file = join(temporaryFolder(t), 'qemu.cjs');
  writeFileSync(file, FAKE);
  const qtest = await Qtest.start(`exec "${process.execPath}" "${file}"`);
  if (!qtest) throw new Error('not started');
  await qtest.once([write(0xfec00000, 4, 0x10)]);
  const { perSecond, latency } = await qtest.run([read(0xfed000f0, 8), write(0xfec00010, 4, 0x10000)], 4, 20);
  t.ok(perSecond > 0);
  t.ok(latency.count >= 4, `${latency.count} groups`);
  await t.rejects(qtest.run([read(0, 8)], 1, 0), { message: 'qtest answered FAIL Unknown command' });
  await qtest.stop();
  t.ok(qtest.process.child.exitCode !== null || qtest.process.child.signalCode !== null);
});

t.test('without a command there is none, and one that ends is reported', async (t) => {
  t.equal(await Qtest.start(''), undefined);
  await t.rejects(Qtest.start('exit 3'), { message: /ended with status 3 before it connected/ });
});
