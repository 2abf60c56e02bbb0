import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { CLOCK_END } from '../../../src/core/machine/clock.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { seed } from '../../support/random.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const NEVER = 3_600_000;
const HOUR = 3_600e9;
const DAY = 24 * HOUR;
const YEAR_MS = 365.25 * 86_400_000;
const MACHINES = 8;

function start(stateDir: string, stateCounter: 'continue' | 'jump' = 'continue'): Promise<TestServer> {
  return TestServer.start({ stateDir, stateCounter, stateIntervalMs: NEVER, machines: [] });
}

async function virtualTimeOf(server: TestServer, machine: string): Promise<number> {
  return Number((await server.get(`/v1/machines/${machine}`)).virtualTime);
}

/** A machine of that age, in ns, with the HPET on. */
async function make(server: TestServer, name: string, age: number, clock = 'realtime'): Promise<void> {
  const { status } = await server.request('POST', '/v1/machines', { name, clock, vcpus: 1 });
  if (status !== 201) throw new Error(`no machine ${name}`);
  const snapshot = await server.get(`/v1/machines/${name}/snapshot`);
  const body = { ...snapshot, virtualTime: BigInt(age).toString(), takenAt: 0 };
  const reply = await server.request('PUT', `/v1/machines/${name}/snapshot`, body);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  await server.request('PUT', `/v1/machines/${name}/mmio/0x${GENERAL_CONFIGURATION.toString(16)}?size=8`, {
    value: '0x1',
  });
}

/** A timer of the machine fires, a millisecond after it was armed. */
async function fires(server: TestServer, name: string): Promise<boolean> {
  const vcpu = await server.connect(name, 0);
  await vcpu.request({ type: 'subscribe', kinds: ['line'] });
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  await vcpu.write(timerConfiguration(0), 8, route(16) | ENABLE);
  await vcpu.write(timerComparator(0), 8, BigInt.asUintN(64, (await vcpu.read(MAIN_COUNTER, 8)) + 100_000n));
  const { gsi } = await vcpu.next(({ type }) => type === 'irq');
  await vcpu.write(timerConfiguration(0), 8, 0);
  await vcpu.close();
  return gsi === 16;
}

function damagedIn(folder: string): string[] {
  return readdirSync(folder).filter((file) => file.includes('damaged'));
}

/** Sets the wall clock of this process apart from the host's until the test ends. */
function wallClock(t: Test): { ahead: number } {
  const { now } = Date;
  const wall = { ahead: 0 };
  Date.now = () => now() + Math.floor(wall.ahead);
  t.teardown(() => {
    Date.now = now;
  });
  return wall;
}

/** Ages in ns: younger than the host, older, beyond 2^53, and near the end of a clock. */
const age = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.double({ min: 0, max: 1, noNaN: true }).map((part) => Math.floor(part * 200 * DAY)),
  fc.double({ min: 0, max: 1, noNaN: true }).map((part) => Math.floor(part * (CLOCK_END - HOUR))),
  fc.constantFrom(2 ** 53 - 1, 2 ** 53, 10 ** 16, CLOCK_END - HOUR),
);

t.test('a machine of any age is saved, restored and saved again, and its timers fire', async (t) => {
  const chosen = seed();
  t.comment(`seed ${chosen}`);
  const folder = join(temporaryFolder(t), 'state');
  const ages = fc.sample(age, { numRuns: MACHINES, seed: chosen });
  let server = await start(folder);
  for (const [n, each] of ages.entries()) await make(server, `vm-${n}`, each);
  let before = ages;
  for (let round = 0; round < 3; round++) {
    const now = await Promise.all(ages.map((_, n) => virtualTimeOf(server, `vm-${n}`)));
    for (const [n, time] of now.entries()) {
      t.ok(time >= before[n] && time < before[n] + HOUR, `round ${round}: ${before[n]} ns goes on at ${time} ns`);
      if (time < CLOCK_END - HOUR / 2) t.ok(await fires(server, `vm-${n}`), 'a timer fires');
    }
    before = now;
    t.match(await server.request('GET', '/readyz'), { status: 200, body: { state: { failure: null } } });
    await server.stop();
    t.same(damagedIn(folder), []);
    server = await start(folder);
    t.equal((await server.get('/v1/machines')).machines.length, MACHINES);
  }
  await server.stop();
});

/** Milliseconds by which the wall clock jumps while the server is away: years, either way, and centuries. */
const jump = fc.oneof(
  fc.double({ min: -60, max: 140, noNaN: true }).map((years) => years * YEAR_MS),
  fc.constantFrom(200 * 86_400_000, -200 * 86_400_000, 150 * YEAR_MS, 250 * YEAR_MS),
);

t.test(
  'a wall clock that jumps either way by years: machines go on, or jump with it as far as a clock goes',
  async (t) => {
    const chosen = seed();
    t.comment(`seed ${chosen}`);
    const base = temporaryFolder(t);
    const folder = join(base, 'state');
    const wall = wallClock(t);
    const first = await start(folder);
    for (const name of ['runs', 'stands']) await make(first, name, 3 * DAY);
    await make(first, 'steps', 3 * DAY, 'manual');
    await first.request('POST', '/v1/machines/stands/pause');
    await first.stop();
    const rounds = [
      ['jump', 200 * 86_400_000],
      ['jump', 250 * YEAR_MS],
      ['continue', 200 * 86_400_000],
      ...fc.sample(jump, { numRuns: 2, seed: chosen }).map((ms) => ['jump', ms] as const),
    ] as const;
    let before = 3 * DAY;
    for (const [mode, ms] of rounds) {
      wall.ahead += ms;
      const server = await start(folder, mode);
      const passed = mode === 'jump' && ms > 0 && before + ms * 1e6 + HOUR < CLOCK_END ? ms * 1e6 : 0;
      const time = await virtualTimeOf(server, 'runs');
      const least = before + passed;
      t.ok(time >= least - 1e6 && time < least + HOUR, `${mode} by ${ms} ms: ${time} ns, not ${least} ns`);
      t.ok((await virtualTimeOf(server, 'stands')) - 3 * DAY < HOUR, 'a paused clock stands');
      t.equal(await virtualTimeOf(server, 'steps'), 3 * DAY, 'and so does a manual one');
      t.ok(await fires(server, 'runs'), 'a timer fires');
      before = await virtualTimeOf(server, 'runs');
      await server.stop();
      t.same(damagedIn(folder), []);
    }
  },
);

t.test('a jump beyond the end of a clock is refused with a code, and changes nothing', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'vm' }] });
  const snapshot = await server.get('/v1/machines/vm/snapshot');
  const old = { ...snapshot, virtualTime: String(BigInt(CLOCK_END - 86_400e9)), takenAt: 0 };
  const { status, body } = await server.request('PUT', '/v1/machines/vm/snapshot?counter=jump', old);
  t.match({ status, code: body.error.code }, { status: 409, code: 'jump-too-far' });
  t.match(body.error.message, /use counter=continue, or correct the wall clock/);
  t.ok((await virtualTimeOf(server, 'vm')) < HOUR);
  t.equal((await server.request('PUT', '/v1/machines/vm/snapshot', old)).status, 200);
  await server.stop();
});

t.test('whatever snapshot is accepted can be kept: numbers at the edge of what fits', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(folder);
  await make(server, 'vm', 0);
  const snapshot = await server.get('/v1/machines/vm/snapshot');
  const restore = (changed: object) => server.request('PUT', '/v1/machines/vm/snapshot', { ...snapshot, ...changed });
  // Without an order, timers come due by number.
  const deadline = (ns: string) => ({ deadlines: snapshot.deadlines.with(0, ns), order: undefined });
  for (const [changed, accepted] of [
    [{ virtualTime: String(2n ** 62n) }, true],
    [{ virtualTime: String(2n ** 62n + 1024n) }, false],
    [{ virtualTime: '9999999999999999999' }, false],
    [{ sequence: '9007199254740991' }, true],
    [{ sequence: '9999999999999999' }, false],
    [deadline(String(2n ** 63n)), true],
    [deadline('9999999999999999999'), false],
  ] as const) {
    const { status, body } = await restore(changed);
    const what = JSON.stringify(Object.keys(changed));
    t.equal(status, accepted ? 200 : 400, `${what}: ${JSON.stringify(body.error ?? '')}`);
    if (!accepted) t.equal(body.error.code, 'bad-snapshot');
    const again = await server.get('/v1/machines/vm/snapshot');
    t.equal((await server.request('PUT', '/v1/machines/vm/snapshot', again)).status, 200, 'it can be restored again');
  }
  await server.stop();
  const second = await start(folder);
  t.equal((await second.get('/v1/machines')).machines.length, 1);
  t.same(damagedIn(folder), []);
  await second.stop();
});
