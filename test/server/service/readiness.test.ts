import { pino } from 'pino';
import t from 'tap';
import { BQL } from '../../../src/core/sync/lock-names.js';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import { Service } from '../../../src/server/service/service.js';
import { configuration } from '../../support/server.js';

t.test('a main loop that is stuck makes the server not ready, and it answers all the same', async (t) => {
  const service = new Service(configuration(), (error) => t.fail(String(error)));
  const app = await buildApp({ service, admission: new Admission(''), logger: pino({ level: 'silent' }) });
  await service.start();
  t.teardown(async () => {
    await app.close();
    await service.close();
  });
  // A busy computer may be late as well.
  const becomesReady = async () => {
    while ((await app.inject('/readyz')).statusCode !== 200);
  };
  await becomesReady();

  const [{ options, slot }] = [...service.machines];
  const { machine } = slot;
  machine.locks.acquire(BQL);
  machine.host.kickMainLoop(options.slot);
  // The last round before the machine may still answer.
  let reply = await app.inject('/readyz');
  if (reply.statusCode === 200) reply = await app.inject('/readyz');
  t.equal(reply.statusCode, 503);
  t.match(reply.json().error, { code: 'not-ready', reason: 'the main loop has not come round for a second' });
  t.equal((await app.inject('/healthz')).statusCode, 200);
  t.match(
    (await app.inject('/metrics')).body,
    /^southbridge_lock_contended_total\{machine="\w+",locking="[a-z-]+",lock="bql",site="main-loop"\} [1-9]/m,
  );

  slot.machine.locks.release(BQL);
  await becomesReady();
  service.draining = true;
  t.match((await app.inject('/readyz')).json().error, { code: 'not-ready', reason: 'it is shutting down' });
  t.match((await app.inject('/v1/machines')).json().error, { code: 'shutting-down' });
});
