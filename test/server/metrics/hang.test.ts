import t from 'tap';
import { parseExposition, total } from '../../support/exposition.js';
import { NESTED_MUTEX, provokeDeadlock } from '../../support/nested-deadlock.js';
import { TestServer } from '../../support/server.js';

const STATE = 'southbridge_machine_state';

t.test('a machine that hangs is visible for as long as it hangs, with the waits that do not end', async (t) => {
  const server = await TestServer.start({
    execution: 'threads',
    machines: [
      { name: 'm', onDeadlock: 'hang', ...NESTED_MUTEX },
      { name: 'paused' },
      { name: 'shared', metrics: 'shared' },
    ],
  });
  t.teardown(server.stop);
  const scrape = async () => parseExposition(await server.get('/metrics'));
  await server.request('POST', '/v1/machines/paused/pause');
  const before = await scrape();
  t.equal(total(before, STATE, { machine: 'm', state: 'running' }), 1);
  t.equal(total(before, STATE, { machine: 'm', state: 'hung' }), 0);
  t.equal(total(before, STATE, { machine: 'paused', state: 'paused' }), 1);
  t.equal(total(before, STATE, { machine: '_other', state: 'running' }), 1);

  const vcpu = await server.connect('m', 0);
  await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/m')).state === 'hung');
  let last = 0;
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    const now = await scrape();
    t.equal(total(now, STATE, { machine: 'm', state: 'hung' }), 1);
    t.equal(total(now, STATE, { machine: 'm', state: 'running' }), 0);
    t.equal(total(now, STATE), 3, 'each machine is in one state');
    const waiting = (lock: string) => total(now, 'southbridge_lock_waiting_threads', { machine: 'm', lock });
    t.ok(waiting('bql') >= 1 && waiting('device') >= 1, 'the threads of the cycle wait');
    const longest = total(now, 'southbridge_lock_waiting_seconds', {
      machine: 'm',
      lock: 'device',
      site: 'timer-callback',
    });
    t.ok(longest > last, `the main loop has waited ${longest} s`);
    last = longest;
  }
  const { sites } = await server.get('/v1/machines/m/locks/contention');
  const row = sites.find(
    (each: { lock: string; site: string }) => each.lock === 'device' && each.site === 'timer-callback',
  );
  t.equal(row.waiting.threads, 1);
  t.ok(row.waiting.longest >= last * 1e9);

  await server.request('DELETE', '/v1/machines/m');
  const after = await scrape();
  t.equal(total(after, STATE, { state: 'hung' }), 0);
  t.equal(total(after, 'southbridge_lock_waiting_threads'), 0, 'the waits have ended with the machine');
});
