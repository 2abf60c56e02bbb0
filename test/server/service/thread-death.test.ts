import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { BQL } from '../../../src/core/sync/lock-names.js';
import type { SouthbridgeError } from '../../../src/errors.js';
import { type Completion, NONE, Request } from '../../../src/runtime/rings/requests.js';
import { NOTHING } from '../../../src/runtime/rings/submission-ring.js';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import { accessMmio, setLine } from '../../../src/server/service/guest-requests.js';
import type { IrqEvent } from '../../../src/server/service/irq-event.js';
import { describeLocks } from '../../../src/server/service/lock-description.js';
import type { MachineHandle } from '../../../src/server/service/machine-handle.js';
import { restore } from '../../../src/server/service/saving.js';
import { Service } from '../../../src/server/service/service.js';
import { Checkpoints } from '../../../src/server/state/checkpoints.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  INTERRUPT_STATUS,
  LEVEL,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { Random, seed } from '../../support/random.js';
import { configuration } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';

const logger = pino({ level: 'silent' });
const admission = new Admission('');

t.test('a thread dies with a lock: its machine is suspect until it is restored, and all others go on', async (t) => {
  const complete = configuration({
    stateDir: join(temporaryFolder(t), 'state'),
    stateIntervalMs: 3_600_000,
    execution: 'threads',
    vcpuThreads: 1,
    machines: [{ name: 'm', locking: 'nested-mutex' }, { name: 'other' }],
  });
  const store = await Checkpoints.open(complete, logger);
  const deaths: (readonly string[])[] = [];
  const service = new Service(complete, (_, machines) => deaths.push(machines), store);
  const app = await buildApp({ service, logger, admission });
  await service.start();
  const request = async (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) => {
    const { statusCode, body } = await app.inject({ method, url, payload });
    return { status: statusCode, body: body && JSON.parse(body) };
  };
  const m = service.machines.get('m');
  const access = (write: boolean, address: number, low = 0): Promise<number | string> =>
    new Promise((resolve) =>
      accessMmio(m, 0, { write, address, size: 8, low, high: 0, posted: false }, (request) =>
        resolve(m.failureOf(request)?.code ?? request.low),
      ),
    );
  const write = (address: number, value: number) => access(true, address, value);
  await write(timerComparator(1), 4711);
  await write(timerConfiguration(0), route(16) | LEVEL | ENABLE);
  await write(timerComparator(0), 1000);
  await write(GENERAL_CONFIGURATION, 1);
  while ((await access(false, INTERRUPT_STATUS)) === 0) await new Promise(setImmediate);
  await service.machines.store?.made(m);
  await write(timerComparator(1), 1);

  // The gateway holds the BQL: a write that lowers the line holds the device's mutex while it waits for it.
  const { engine } = service;
  const { slot } = m.options;
  engine.slot(slot).machine.locks.acquire(BQL);
  const moving = write(timerConfiguration(0), route(16) | LEVEL);
  const isWaiting = () => describeLocks(m).locks[0].waiters.some(({ holds }) => holds.includes('device'));
  while (!isWaiting()) await new Promise(setImmediate);
  const behind = request('GET', '/v1/machines/other/mmio/0xfed00000?size=8');
  await engine.pool.worker(engine.gateway.vcpus[0].thread)?.terminate();
  t.equal(await moving, 'machine-suspect');
  t.equal((await behind).status, 200, 'the request behind it in the ring is executed');
  t.same(deaths, [['m']]);
  engine.slot(slot).machine.locks.release(BQL);

  t.equal((await request('GET', '/v1/machines/m')).body.state, 'suspect');
  for (const path of ['snapshot', 'mmio/0xfed000f0?size=8']) {
    t.match((await request('GET', `/v1/machines/m/${path}`)).body, { error: { code: 'machine-suspect' } }, path);
  }
  t.equal((await request('GET', '/v1/machines/m/hpet')).status, 200, 'its last registers are shown');
  t.match((await request('POST', '/v1/machines/m/pause')).body, { error: { code: 'machine-suspect' } });
  t.equal((await request('GET', '/v1/machines/m/locks')).body.locks[1].owner, 'vcpu-0', 'the dead has the mutex still');
  t.equal((await request('GET', '/v1/machines/other/hpet')).status, 200);
  while ((await request('GET', '/readyz')).status !== 200);
  t.match((await app.inject('/metrics')).body, /^southbridge_thread_deaths_total 1$/m);

  t.equal((await request('POST', '/v1/machines/m/restore')).status, 200);
  t.match((await request('GET', '/v1/machines/m')).body, { state: 'running' });
  t.equal((await request('GET', '/v1/machines/m/locks')).body.locks[1].owner, null);
  t.match(
    (await request('GET', '/v1/machines/m/mmio/0xfed00128?size=8')).body,
    { value: /0x0*1267$/ },
    'as it was kept',
  );
  t.equal(await write(timerComparator(1), 5), 0);
  await app.close();
  await store.close(10_000);
  await service.close();
});

t.test('threads that die under load: every request is answered, and machines come back', async (t) => {
  const random = new Random(seed());
  t.comment(`seed ${random.seed}`);
  const designs = ['lockless-irq', 'bql', 'kick-and-drain'] as const;
  const complete = configuration({
    execution: 'threads',
    stateDir: join(temporaryFolder(t), 'state'),
    stateIntervalMs: 3_600_000,
    machines: designs.map((locking) => ({ name: locking, locking })),
  });
  const store = await Checkpoints.open(complete, logger);
  const service = new Service(complete, ({ slots }) => t.ok(slots, 'another takes its place'), store);
  await service.start();
  const { engine } = service;
  const machines = designs.map((name) => service.machines.get(name));
  let ending = false;
  let answered = 0;
  const codes = new Set<string>();
  const ask = (machine: MachineHandle, submit: (done: Completion) => void): Promise<void> =>
    machine
      .ask(submit)
      .catch((error: SouthbridgeError) => codes.add(error.code))
      .then(() => {
        answered++;
      });
  const access = (machine: MachineHandle, vcpu: number, write: boolean, address: number, low = 0) =>
    ask(machine, (done) => accessMmio(machine, vcpu, { write, address, size: 8, low, high: 0, posted: false }, done));
  const use = async (machine: MachineHandle, vcpu: number) => {
    for (let value = 1; !ending; value++) {
      await Promise.all([
        access(machine, vcpu, true, timerConfiguration(vcpu), route(16 + vcpu) | LEVEL | (value % 2 ? ENABLE : 0)),
        access(machine, vcpu, true, timerComparator(vcpu), value),
        access(machine, vcpu, true, GENERAL_CONFIGURATION, 1),
        ask(machine, (done) => setLine(machine, vcpu, 20, value % 2, done)),
        access(machine, vcpu, false, MAIN_COUNTER),
      ]);
      await new Promise(setImmediate);
    }
  };
  const users = machines.flatMap((machine) => [use(machine, 0), use(machine, 1)]);
  const bringBack = async (machine: MachineHandle) => {
    const snapshot = await store.lastOf(machine.name);
    if (!snapshot) throw new Error(`no checkpoint of ${machine.name}`);
    await restore(machine, snapshot, 'continue');
  };
  let suspects = 0;
  for (let round = 0; round < tier.threadDeaths; round++) {
    const before = answered;
    while (answered < before + 500) await new Promise(setImmediate);
    const index = random.below(engine.gateway.vcpus.length);
    // One that has begun: a thread that cannot even start is the end of the server.
    await new Promise<void>((begun) =>
      engine.gateway.submit(index, new Request(0, NONE, NOTHING, 0, 0, 0, 0, () => begun())),
    );
    const { thread } = engine.gateway.vcpus[index];
    await engine.pool.worker(thread)?.terminate();
    for (const machine of machines.filter(({ isSuspect }) => isSuspect)) {
      suspects++;
      await bringBack(machine);
      t.equal(machine.isOpen, true, `${machine.name} is restored`);
    }
  }
  ending = true;
  await Promise.all(users);
  t.same(
    [...codes].filter((code) => code !== 'machine-suspect'),
    [],
    'requests are answered, or refused for that',
  );
  t.ok(suspects > 0);
  t.comment(`${tier.threadDeaths} threads died, ${suspects} machines were suspect, ${answered} requests answered`);
  for (const machine of machines) {
    const levels: number[] = [];
    const subscriber = {
      event({ wire }: IrqEvent) {
        if (wire.event.kind === 'line' && wire.event.gsi === 21) levels.push(wire.event.level);
      },
      ended() {},
    };
    machine.events.subscribers.add(subscriber);
    await ask(machine, (done) => setLine(machine, 0, 21, 1, done));
    await ask(machine, (done) => setLine(machine, 0, 21, 0, done));
    t.same(levels, [1, 0], `${machine.name}: events are emitted again, before the reply to their cause`);
    machine.events.subscribers.delete(subscriber);
    await service.machines.delete(machine.name);
  }
  await store.close(10_000);
  await service.close();
});
