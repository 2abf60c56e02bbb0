import t from 'tap';
import { faultOfWord } from '../../../src/server/service/saved-ranges.js';
import { Random, seed } from '../../support/random.js';
import { randomOperation } from '../../support/random-access.js';
import { TestServer } from '../../support/server.js';

const SNAPSHOTS = 10;

t.test('whatever a guest does, its words can be restored; a word with a bit too many is named', async (t) => {
  const random = new Random(seed());
  t.comment(`seed ${random.seed}`);
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  const vcpu = await server.connect('m', 0);
  for (let round = 0; round < SNAPSHOTS; round++) {
    for (let step = 0; step < 100; step++) {
      const each = randomOperation(random);
      const access = each.op === 'write' || each.op === 'read' ? each : undefined;
      // What belongs to no device is refused, and is not the point here.
      if (access?.op === 'write') await vcpu.write(access.address, access.size, access.value).catch(() => {});
      else if (access) await vcpu.read(access.address, access.size).catch(() => {});
      else if (each.op === 'line') await vcpu.request({ type: 'line', gsi: each.gsi, level: each.level });
      else if (each.op === 'eoi') await vcpu.request({ type: 'eoi', vector: each.vector });
    }
    const snapshot = await server.get('/v1/machines/m/snapshot');
    const { status, body } = await server.request('PUT', '/v1/machines/m/snapshot', snapshot);
    if (status !== 200) t.fail(JSON.stringify(body));
    const [name, value] = Object.entries<number>(snapshot.state)[random.below(Object.keys(snapshot.state).length)];
    const changed = (value ^ (1 << random.below(32))) >>> 0;
    const fault = faultOfWord(name, changed, snapshot.config.hpet.timers);
    const state = { ...snapshot.state, [name]: changed };
    const answer = await server.request('PUT', '/v1/machines/m/snapshot', { ...snapshot, state });
    if (answer.status !== (fault ? 400 : 200)) t.fail(`${name} ${changed}: ${JSON.stringify(answer.body)}`);
    if (fault && !answer.body.error.message.includes(name)) t.fail(`${answer.body.error.message} names no ${name}`);
    if (!fault) await server.request('PUT', '/v1/machines/m/snapshot', snapshot);
    // Each restore takes a number of the stream.
    const { takenAt: _, sequence: __, ...after } = await server.get('/v1/machines/m/snapshot');
    const { takenAt, sequence, ...before } = snapshot;
    t.same(after, before, `round ${round}: nothing has changed`);
  }
  await server.stop();
});
