import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { decodeCheckpoint } from '../../../src/server/state/checkpoint.js';
import { noFaketime, noTimeNamespace, onHostOlderBy, setAhead, wallClockOf } from '../../support/clocks.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { CLI, Program } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const DAY = 86_400e9;
/** Virtual time of the machines at the beginning. */
const AGE = 40 * DAY;

interface World {
  /** Days by which the host started earlier than this one. */
  readonly older?: number;
  /** File of `setAhead`. */
  readonly wall?: string;
  readonly counter?: 'continue' | 'jump';
}

/** The real program on a host with clocks of its own. */
class Server {
  private constructor(
    readonly program: Program,
    readonly folder: string,
    readonly url: string,
  ) {}

  static async start(t: Test, folder: string, { older = 0, wall, counter = 'continue' }: World): Promise<Server> {
    const state = ['--state-dir', folder, '--state-interval-ms', '20', '--state-counter', counter];
    const options = ['--port', '0', '--log-level', 'warn', '--set', 'machines=[]', ...state];
    const environment = wall === undefined ? {} : wallClockOf(wall);
    const program = new Program([CLI, 'serve', ...options], onHostOlderBy(older), environment);
    // A test that fails leaves no server.
    t.teardown(() => program.child.kill('SIGKILL'));
    const url = /http:\S+/.exec((await program.line()) ?? '')?.[0];
    if (!url) throw new Error(`the server did not start: ${program.stderr}`);
    return new Server(program, folder, url);
  }

  async request(method: string, path: string, body?: object) {
    const headers = body && { 'content-type': 'application/json' };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Makes a machine of that age with the HPET on. */
  async make(name: string): Promise<void> {
    await this.request('POST', '/v1/machines', { name });
    await this.restore(name);
    const vcpu = await VcpuClient.connect(`${this.url.replace('http', 'ws')}/v1/machines/${name}/vcpus/0`);
    await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
    await vcpu.close();
  }

  async restore(name: string): Promise<void> {
    const snapshot = await this.request('GET', `/v1/machines/${name}/snapshot`);
    await this.request('PUT', `/v1/machines/${name}/snapshot`, { ...snapshot, virtualTime: String(AGE) });
  }

  async virtualTime(name: string): Promise<number> {
    return Number((await this.request('GET', `/v1/machines/${name}`)).virtualTime);
  }

  /** Resolves when a timer of the machine has fired, a millisecond after it was armed. */
  async fires(name: string): Promise<boolean> {
    const vcpu = await VcpuClient.connect(`${this.url.replace('http', 'ws')}/v1/machines/${name}/vcpus/0`);
    await vcpu.request({ type: 'subscribe', kinds: ['line'] });
    await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
    await vcpu.write(timerConfiguration(0), 8, route(16) | ENABLE);
    // A machine that was restored to a time before it turned its HPET on has a counter just before its wrap.
    const due = BigInt.asUintN(64, (await vcpu.read(MAIN_COUNTER, 8)) + 100_000n);
    await vcpu.write(timerComparator(0), 8, due);
    const { gsi } = await vcpu.next(({ type }) => type === 'irq');
    await vcpu.write(timerConfiguration(0), 8, 0);
    await vcpu.close();
    return gsi === 16;
  }

  /** Resolves when a checkpoint holds a time after this call. */
  async kept(name: string): Promise<void> {
    const now = await this.virtualTime(name);
    for (;;) {
      const file = join(this.folder, `${name}.json`);
      const { snapshot } = decodeCheckpoint(readFileSync(file), file);
      if (Number(snapshot.virtualTime) > now) return;
      await delay(5);
    }
  }

  /** As a host that loses its power does. */
  async kill(): Promise<void> {
    this.program.child.kill('SIGKILL');
    await this.program.exited;
  }
}

const damagedIn = (folder: string) => readdirSync(folder).filter((file) => file.includes('damaged'));

t.test('a host that reboots, or is younger than its machines', { skip: noTimeNamespace() }, async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const hosts = [400, 0, 0, 100, 20, 0];
  let before = AGE;
  for (const [boot, older] of hosts.entries()) {
    const server = await Server.start(t, folder, { older });
    if (boot === 0) await server.make('vm');
    const time = await server.virtualTime('vm');
    t.ok(time >= before && time < before + DAY, `boot ${boot}: ${before} ns goes on at ${time} ns`);
    t.ok(await server.fires('vm'), 'a timer fires');
    if (boot === 2) await server.restore('vm');
    t.ok(await server.fires('vm'), 'and after PUT of a snapshot as well');
    await server.kept('vm');
    before = boot === 2 ? AGE : time;
    t.match(await server.request('GET', '/readyz'), { state: { failure: null } });
    await server.kill();
    t.same(damagedIn(folder), []);
    t.equal(server.program.stderr, '');
  }
});

const noWallClock = noFaketime || (!tier.jumpsWallClock && 'the long tier moves the wall clock of the real program');

t.test(
  'a wall clock that jumps by years, while the server runs and while it is away',
  { skip: noWallClock },
  async (t) => {
    const base = temporaryFolder(t);
    const folder = join(base, 'state');
    await mkdir(folder);
    const wall = join(base, 'wall');
    let ahead = 0;
    setAhead(wall, ahead);
    const first = await Server.start(t, folder, { wall });
    for (const name of ['one', 'two']) await first.make(name);
    for (const name of ['one', 'two']) await first.kept(name);
    await first.kill();
    let before = AGE;
    for (const [away, running] of [
      [200, -200],
      [-8000, 4000],
      [20_000, 0],
      [0, -20_000],
      [73_000, -73_000],
    ] as const) {
      for (const counter of ['continue', 'jump'] as const) {
        ahead += away;
        setAhead(wall, ahead);
        const server = await Server.start(t, folder, { wall, counter });
        const time = await server.virtualTime('one');
        const jumped = counter === 'jump' && away > 0 && before + away * DAY < 2 ** 62 ? away * DAY : 0;
        t.ok(time >= before + jumped - 1e6 && time < before + jumped + DAY, `${counter}, ${away} days: ${time} ns`);
        t.ok(await server.fires('one'), 'a timer fires');
        ahead += running;
        setAhead(wall, ahead);
        t.ok(await server.fires('two'), 'and another, after the wall clock has jumped');
        for (const name of ['one', 'two']) await server.kept(name);
        const metrics = await (await fetch(`${server.url}/metrics`)).text();
        const age = Number(/^southbridge_checkpoint_age_seconds (\S+)$/m.exec(metrics)?.[1]);
        t.ok(age < 3600, `the oldest checkpoint is ${age} s old, whatever the wall clock says`);
        before = await server.virtualTime('one');
        await server.kill();
        t.same(damagedIn(folder), []);
      }
    }
  },
);
