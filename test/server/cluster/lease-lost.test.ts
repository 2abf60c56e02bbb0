import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import { accessMmio } from '../../../src/server/service/guest-requests.js';
import { Service } from '../../../src/server/service/service.js';
import { Checkpoints } from '../../../src/server/state/checkpoints.js';
import { accessOf } from '../../../src/server/streams/access.js';
import { configuration } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const COMPARATOR = 0xfed00108;

t.test('a node sends nothing of its machines once its lease has run out', async (t) => {
  const logger = pino({ level: 'silent' });
  const complete = configuration({ stateDir: temporaryFolder(t), machines: [{ name: 'm', clock: 'manual' }] });
  const store = await Checkpoints.open(complete, logger);
  let isHeld = true;
  Object.assign(store.folder, { maySend: () => isHeld });
  const service = new Service(complete, () => {}, store);
  const app = await buildApp({ service, admission: new Admission(''), logger });
  await service.start();
  await app.listen({ port: 0 });
  t.teardown(async () => {
    await app.close();
    await store.close(10_000).catch(() => {});
    await service.close();
  });
  const { port } = app.server.address() as AddressInfo;
  const vcpu = await VcpuClient.connect(`ws://127.0.0.1:${port}/v1/machines/m/vcpus/0`);
  const machine = service.machines.get('m');
  await vcpu.write(COMPARATOR, 4, 1);
  const count = vcpu.received.length;

  isHeld = false;
  const message = { type: 'write', id: 77, address: `0x${COMPARATOR.toString(16)}`, size: 4, value: '0x2' };
  vcpu.socket.send(JSON.stringify(message));
  const read = accessOf({ type: 'read', address: `0x${COMPARATOR.toString(16)}`, size: 4 });
  for (let value = 0; value !== 2; await new Promise(setImmediate))
    value = (await machine.ask((done) => accessMmio(machine, 0, read, done))).low;
  const { statusCode, payload } = await app.inject({ url: '/v1/machines/m' });
  t.equal(statusCode, 503);
  t.equal(JSON.parse(payload).error.code, 'lease-lost');
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 503);
  t.equal((await app.inject({ url: '/healthz' })).statusCode, 200);

  await service.machines.move('m');
  t.strictSame(await vcpu.closed, { code: 1001, reason: 'machine-moved' });
  t.equal(vcpu.received.length, count, 'the reply was not sent');
});
