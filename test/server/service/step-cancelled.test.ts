import t from 'tap';
import type { PresetName } from '../../../src/core/locking/presets.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import type { VcpuClient } from '../../support/vcpu-client.js';

const PERIODIC = (1 << 3) | (1 << 6);
const TIMERS = 24;
/** An hour of a clock that visits a million deadlines in each second. */
const HOUR = 3_600_000_000_000;

const LOCKING: readonly PresetName[] = ['lockless-irq', 'kick-and-drain'];

/** A machine with as many timers as there can be, of the shortest period that the profile allows. */
async function hostile(vcpu: VcpuClient): Promise<void> {
  for (let timer = 0; timer < TIMERS; timer++) {
    await vcpu.write(timerConfiguration(timer), 8, ENABLE | PERIODIC | route(timer));
    await vcpu.write(timerComparator(timer), 8, 1);
  }
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
}

function serve(locking: PresetName, vcpuThreads: number) {
  return TestServer.start({
    vcpuThreads,
    machines: [
      { name: 'm', clock: 'manual', locking, vcpus: 2, hpet: { timers: TIMERS, profile: 'datasheet' } },
      { name: 'other', vcpus: 2 },
    ],
  });
}

for (const locking of LOCKING) {
  t.test(`${locking}: while a step is pending, others are served, and its own machine can end it`, async (t) => {
    const server = await serve(locking, 1);
    t.teardown(server.stop);
    const vcpu = await server.connect('m', 0);
    await hostile(vcpu);
    const other = await server.connect('other', 0);

    for (const action of ['pause', 'reset', 'delete'] as const) {
      // The sockets of a machine that is deleted end at once, and nobody is left there to be answered.
      const step =
        action === 'delete'
          ? server.request('POST', '/v1/machines/m/clock/step', { ns: String(HOUR) }).then(({ body }) => body.error)
          : vcpu.request({ type: 'step', ns: String(HOUR) });
      await other.write(GENERAL_CONFIGURATION, 8, 1);
      await server.mainLoopIdle();
      t.equal((await server.request('GET', '/v1/machines/other/snapshot')).status, 200);
      t.equal((await server.request('POST', '/v1/machines/other/reset')).status, 200);
      t.equal((await server.request('GET', '/v1/machines/m/hpet')).status, 200, 'and so is a view of this machine');
      const ended =
        action === 'delete'
          ? server.request('DELETE', '/v1/machines/m')
          : server.request('POST', `/v1/machines/m/${action}`);
      const { code, details } = await step;
      t.equal(code, 'step-cancelled', action);
      t.equal((await ended).status, action === 'delete' ? 204 : 200);
      if (action === 'delete') continue;
      const { virtualTime } = await server.get('/v1/machines/m');
      t.equal(details.virtualTime, virtualTime, 'with the time that it reached');
      await server.mainLoopIdle();
      t.equal((await server.get('/v1/machines/m')).virtualTime, virtualTime, 'at which the clock stays');
      if (action === 'pause') await server.request('POST', '/v1/machines/m/resume');
      // The main counter starts at 0 again: comparators that it has passed would wait for a wrap.
      await server.request('POST', '/v1/machines/m/reset');
      await hostile(vcpu);
    }
  });
}

t.test('what a vCPU sends behind a step runs behind it', async (t) => {
  const server = await serve('lockless-irq', 2);
  t.teardown(server.stop);
  const vcpu = await server.connect('m', 0);
  await hostile(vcpu);
  const before = Number(await vcpu.read(MAIN_COUNTER, 8));
  const steps = 20;
  const reads: Promise<unknown>[] = [];
  for (let step = 0; step < steps; step++) {
    const stepped = vcpu.request({ type: 'step', ns: '1000' });
    reads.push(vcpu.read(MAIN_COUNTER, 8));
    reads.push(stepped);
  }
  const counters = (await Promise.all(reads)).filter((_, index) => index % 2 === 0).map(Number);
  t.same(
    counters,
    Array.from({ length: steps }, (_, step) => before + 100 * (step + 1)),
  );
});

t.test('a step that is sent while the machine is paused ends at once', async (t) => {
  const server = await serve('lockless-irq', 1);
  t.teardown(server.stop);
  const vcpu = await server.connect('m', 0);
  await hostile(vcpu);
  const steps = [0, 1, 2].map(() => vcpu.request({ type: 'step', ns: String(HOUR) }));
  t.equal((await server.request('POST', '/v1/machines/m/pause')).status, 200);
  for (const step of steps) t.equal((await step).code, 'step-cancelled');
  await server.request('POST', '/v1/machines/m/resume');
  await server.request('POST', '/v1/machines/m/reset');
  const { status } = await server.request('POST', '/v1/machines/m/clock/step', { ns: '10' });
  t.equal(status, 200, 'later ones move the clock again');
});
