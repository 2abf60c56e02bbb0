import t from 'tap';
import type { ErrorCode } from '../../../src/errors.js';
import { TestServer } from '../../support/server.js';
import { UpgradeRefused, VcpuClient } from '../../support/vcpu-client.js';

/** A frame, and the code of its refusal. */
const FRAMES: readonly (readonly [string | Buffer, ErrorCode])[] = [
  ['{"type":"read"', 'bad-message'],
  ['', 'bad-message'],
  ['[]', 'bad-message'],
  ['null', 'bad-message'],
  ['7', 'bad-message'],
  ['{}', 'bad-message'],
  ['{"type":7,"id":1}', 'bad-message'],
  [Buffer.from('{"type":"sync","id":1}'), 'bad-message'],
  ['{"type":"reed","id":1}', 'unknown-message-type'],
  ['{"type":"__proto__","id":1}', 'unknown-message-type'],
  ['{"type":"constructor","id":1}', 'unknown-message-type'],
  ['{"type":"sync"}', 'bad-message'],
  ['{"type":"sync","id":"1"}', 'bad-value'],
  ['{"type":"sync","id":9007199254740993}', 'bad-value'],
  ['{"type":"sync","id":-1}', 'bad-value'],
  ['{"type":"sync","id":1.5}', 'bad-value'],
  ['{"type":"sync","id":1,"now":true}', 'unknown-key'],
  ['{"type":"sync","id":1,"id":2}', 'duplicate-key'],
  ['{"type":"read","id":1,"address":"0xfed00000","size":4,"size":8}', 'duplicate-key'],
  ['{"type":"read","id":1,"adress":"0xfed00000","size":4}', 'unknown-key'],
  ['{"type":"read","id":1,"address":"0xfed00000"}', 'bad-message'],
  ['{"type":"read","id":1,"address":4275044352,"size":4}', 'bad-address'],
  ['{"type":"read","id":1,"address":"0xfed00000","size":16}', 'bad-size'],
  ['{"type":"read","id":1,"address":"0xfed00000","size":"4"}', 'bad-size'],
  ['{"type":"read","id":1,"address":"0x1000","size":4}', 'address-unassigned'],
  ['{"type":"write","id":1,"address":"0xfed00010","size":4,"value":"0x100000000"}', 'value-too-wide'],
  ['{"type":"write","id":1,"address":"0xfed00010","size":4,"value":1}', 'bad-value'],
  ['{"type":"write","id":1,"address":"0xfed00010","size":4,"value":"0x1","posted":1}', 'bad-value'],
  ['{"type":"write","id":1,"address":"0x0","size":4,"value":"0x1","posted":true}', 'address-unassigned'],
  [
    '{"type":"batch","id":1,"accesses":[{"type":"write","address":"0xfed00010","size":4,"value":"0x1"},{"type":"read","address":"0x0","size":4}]}',
    'address-unassigned',
  ],
  [
    `{"type":"batch","id":1,"accesses":[${Array(5).fill('{"type":"read","address":"0xfed00010","size":4}').join()}]}`,
    'batch-too-large',
  ],
  ['{"type":"batch","id":1,"accesses":[{"type":"read","address":"0xfed00010","size":4,"posted":true}]}', 'unknown-key'],
  ['{"type":"hello","id":1,"version":0,"capabilities":[]}', 'bad-value'],
  ['{"type":"hello","id":1,"version":1}', 'bad-message'],
  ['{"type":"line","id":1,"gsi":24,"level":1}', 'bad-gsi'],
  ['{"type":"line","id":1,"gsi":4,"level":2}', 'bad-value'],
  ['{"type":"eoi","id":1,"vector":256}', 'bad-vector'],
  ['{"type":"in","id":1,"port":"0x70"}', 'bad-port'],
  ['{"type":"out","id":1,"port":"0x70","value":"0x1"}', 'bad-port'],
  ['{"type":"out","id":1,"port":"0x20","value":"0x100"}', 'bad-value'],
  ['{"type":"apic","id":1,"logicalId":256,"format":"flat"}', 'bad-value'],
  ['{"type":"apic","id":1,"logicalId":1,"format":"round"}', 'bad-value'],
  ['{"type":"step","id":1,"ns":"-1"}', 'bad-value'],
  ['{"type":"step","id":1,"ns":"9007199254740992"}', 'step-too-far'],
  ['{"type":"subscribe","id":1,"kinds":["everything"]}', 'bad-value'],
  [`{"type":"sync","id":1,"x":"${'x'.repeat(1100)}"}`, 'frame-too-large'],
];

t.test('bad frames and upgrades have a coded answer and change nothing', async (t) => {
  const server = await TestServer.start({
    limits: { frameBytes: 1024, batchAccesses: 4, connections: 2 },
    machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
  });
  t.teardown(server.stop);
  const client = await server.connect('m', 0);
  const look = async () => [
    await server.get('/v1/machines/m'),
    await server.get('/v1/machines/m/hpet'),
    await server.get('/v1/machines/m/ioapic'),
  ];
  const before = await look();

  for (const [frame, code] of FRAMES) {
    const { type, code: got, message } = await client.frame(frame);
    t.same([type, got], ['error', code], String(frame).slice(0, 100));
    t.notMatch(message, /undefined|\{\w+\}/);
  }
  t.equal((await client.request({ type: 'sync' })).type, 'reply', 'the connection goes on');

  const upgrade = async (path: string, code: ErrorCode, options?: object) => {
    const error = await VcpuClient.connect(server.socketUrl(path), options).then(
      () => undefined,
      (reason: UpgradeRefused) => reason,
    );
    t.ok(error instanceof UpgradeRefused, path);
    t.equal(error?.body?.error?.code, code, `${path} ${JSON.stringify(options ?? '')}`);
  };
  await upgrade('/v1/machines/nobody/vcpus/0', 'unknown-machine');
  await upgrade('/v1/machines/m/vcpus/2', 'unknown-vcpu');
  await upgrade('/v1/machines/m/vcpus/first', 'unknown-vcpu');
  await upgrade('/v1/machines/nobody/irqs', 'unknown-machine');
  await upgrade('/v1/machines/m/vcpus/0', 'vcpu-taken');
  await upgrade('/v1/machines/m/vcpus/0', 'wrong-resume-token', { resumeToken: 'guess' });
  await upgrade('/v1/machines/m/vcpus/1', 'unknown-subprotocol', { protocols: ['southbridge.v9'] });
  await upgrade('/v1/machines/m/vcpus/1', 'foreign-origin', { headers: { origin: 'https://example.org' } });
  await upgrade('/v1/machines/m/vcpus/1', 'foreign-host', { headers: { host: 'example.org' } });
  await upgrade('/v1/machines/m/vcpus/1?token=x', 'token-in-url');
  await upgrade('/healthz', 'not-a-socket');
  await upgrade('/nowhere', 'unknown-route');
  const second = await server.connect('m', 1);
  await upgrade('/v1/machines/m/irqs', 'too-many-connections');
  await second.close();

  t.same(await look(), before, 'nothing changed');
  client.socket.send('x'.repeat(5000));
  t.equal((await client.closed).code, 1009, 'a frame far beyond the limit ends the connection');
});
