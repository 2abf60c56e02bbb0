import t from 'tap';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
  writeEntry,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

t.test('pause stops the clock and the timers; resume lets them go on', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm' }, { name: 'by-hand', clock: 'manual' }] });
  t.teardown(server.stop);
  const vcpu = await server.connect('m', 0);
  await writeEntry(vcpu, 16, 0x50, 0);
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  await vcpu.write(timerConfiguration(0), 8, ENABLE | route(16));

  const { body: paused } = await server.request('POST', '/v1/machines/m/pause');
  t.equal(paused.state, 'paused');
  const counter = await vcpu.read(MAIN_COUNTER, 8);
  const { virtualTime } = await server.get('/v1/machines/m');
  // Due at once, if the clock went.
  await vcpu.write(timerComparator(0), 8, 0);
  await server.mainLoopIdle();
  await vcpu.request({ type: 'sync' });
  t.same(vcpu.interrupts, [], 'no timer fires');
  t.equal(await vcpu.read(MAIN_COUNTER, 8), counter, 'the counter stands');
  t.equal((await server.get('/v1/machines/m')).virtualTime, virtualTime, 'and so does virtual time');

  const { body: resumed } = await server.request('POST', '/v1/machines/m/resume');
  t.equal(resumed.state, 'running');
  await vcpu.interrupt(0x50);
  t.ok((await vcpu.read(MAIN_COUNTER, 8)) > counter);

  await server.request('POST', '/v1/machines/by-hand/pause');
  const step = await server.request('POST', '/v1/machines/by-hand/clock/step', { ns: '10' });
  t.equal(step.body.error.code, 'machine-paused');
  await server.request('POST', '/v1/machines/by-hand/resume');
  t.same((await server.request('POST', '/v1/machines/by-hand/clock/step', { ns: '10' })).body, { virtualTime: '10' });
});

t.test('control work of many requests at a time is all done', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const actions = ['pause', 'resume', 'reset', 'resume', 'pause', 'reset', 'resume'];
  const replies = await Promise.all(actions.map((action) => server.request('POST', `/v1/machines/default/${action}`)));
  t.same(
    replies.map(({ status }) => status),
    actions.map(() => 200),
  );
});
