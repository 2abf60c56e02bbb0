import t from 'tap';
import { southbridgeBeside } from '../support/program.js';
import { TestServer } from '../support/server.js';

t.test('southbridge poke reads, writes, drives lines and steps the clock', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  t.teardown(server.stop);
  const poke = (...args: string[]) => southbridgeBeside(['poke', ...args, '--url', server.url, '--machine', 'm']);

  t.same(await poke('read', '0xfed00000'), { status: 0, stdout: '0x009896808086a201\n', stderr: '' });
  t.match(JSON.parse((await poke('read', '0xfed00000', '--size', '4', '--json')).stdout), {
    value: '0x8086a201',
    size: 4,
  });
  t.same(await poke('write', '0xfed00010', '1'), { status: 0, stdout: '', stderr: '' });
  t.same(await poke('step', '1000'), { status: 0, stdout: 'now at 1000 ns\n', stderr: '' });
  t.same(await poke('read', '0xfed000f0'), { status: 0, stdout: '0x0000000000000064\n', stderr: '' });
  t.same(await poke('line', '16', '1'), { status: 0, stdout: '', stderr: '' });
  const ioapic = JSON.stringify(await server.get('/v1/machines/m/ioapic'));
  t.match(ioapic, /"external"/, 'the line is driven by its external source');

  t.match(await poke('read', '0x1000'), { status: 2, stderr: /^error: address-unassigned: / });
  t.match(await poke('read', 'counter'), { status: 2, stderr: /hexadecimal/ });
  t.match(await poke('write', '0xfed00010', 'x'), { status: 2, stderr: /It is a number/ });
  t.match(await poke('line', '24', '1'), { status: 2, stderr: /from 0 to 23/ });
});
