import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { type Checkpoint, decodeCheckpoint } from '../../../src/server/state/checkpoint.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { CLI, Program } from '../../support/program.js';
import { Random, seed } from '../../support/random.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const INTERVAL_MS = 50;
const LOADED = ['vm-0', 'vm-1', 'vm-2'];
/** Longest that a server is under load before it is killed, in ms. */
const LOAD_MS = 200;
/** Comparator 1 counts the writes. */
const MARK = timerComparator(1);

/** What a client knows of a machine. */
interface Known {
  written: number;
  acknowledged: number;
  /** Mark and counter that were seen in a checkpoint, or are older than one. */
  kept: { mark: number; counter: bigint };
  counter: bigint;
}

class Server {
  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  static async start(folder: string, counter: string): Promise<Server> {
    const state = ['--state-dir', folder, '--state-interval-ms', String(INTERVAL_MS), '--state-counter', counter];
    const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'warn', '--set', 'machines=[]', ...state]);
    const url = /http:\S+/.exec((await program.line()) ?? '')?.[0];
    if (!url) throw new Error(`the server did not start: ${program.stderr}`);
    return new Server(program, url);
  }

  async request(method: string, path: string, body?: object) {
    const headers = body && { 'content-type': 'application/json' };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }

  connect(machine: string): Promise<VcpuClient> {
    return VcpuClient.connect(`${this.url.replace('http', 'ws')}/v1/machines/${machine}/vcpus/0`);
  }

  async kill(): Promise<void> {
    this.program.child.kill('SIGKILL');
    await this.program.exited;
  }
}

const marks: { [machine: string]: Known } = {};
/** Machines that come and go: true if it must be there, undefined if a request was in flight. */
const fleeting = new Map<string, boolean | undefined>();
const random = new Random(seed());

function markIn({ snapshot }: Checkpoint): number {
  return snapshot.state['hpet.timer[1].comparator.low'];
}

function readCheckpoint(folder: string, machine: string): Checkpoint {
  const file = join(folder, `${machine}.json`);
  return decodeCheckpoint(readFileSync(file), file);
}

/** Writes marks as fast as they are answered, until the connection ends. */
async function load(vcpu: VcpuClient, known: Known): Promise<void> {
  let ended = false;
  vcpu.closed.then(() => {
    ended = true;
  });
  while (!ended) {
    const mark = ++known.written;
    const answered = Promise.all([vcpu.write(MARK, 8, mark), vcpu.read(MAIN_COUNTER, 8)]);
    const result = await Promise.race([answered, vcpu.closed.then(() => undefined)]);
    if (!result) return;
    known.acknowledged = mark;
    known.counter = result[1];
  }
}

/** Makes and deletes machines until the server is gone. */
async function comeAndGo(server: Server, round: number): Promise<void> {
  for (let number = 0; ; number++) {
    const name = `fleeting-${round}-${number}`;
    try {
      fleeting.set(name, undefined);
      await server.request('POST', '/v1/machines', { name, clock: 'manual', vcpus: 1 });
      fleeting.set(name, true);
      if (number % 2 === 0) continue;
      fleeting.set(name, undefined);
      await server.request('DELETE', `/v1/machines/${name}`);
      fleeting.set(name, false);
    } catch {
      return;
    }
  }
}

/** Waits until a checkpoint has a mark that was written after this call. */
async function awaitKept(folder: string, machine: string): Promise<void> {
  const known = marks[machine];
  const { counter } = known;
  const least = known.written + 1;
  for (;;) {
    const mark = markIn(readCheckpoint(folder, machine));
    if (mark >= least && mark <= known.written) {
      known.kept = { mark, counter };
      return;
    }
    await delay(1);
  }
}

t.test('servers that are killed and started again', async (t) => {
  t.comment(`seed ${random.seed}`);
  const folder = join(temporaryFolder(t), 'state');
  let oldest = 0;
  for (let round = 0; round <= tier.killRounds; round++) {
    const counter = round % 2 ? 'jump' : 'continue';
    const server = await Server.start(folder, counter);
    t.equal(server.program.stderr, '', `round ${round}: no checkpoint is damaged`);
    const names: string[] = (await server.request('GET', '/v1/machines')).body.machines.map(
      ({ name }: { name: string }) => name,
    );
    for (const [name, there] of fleeting) {
      if (there !== undefined) t.equal(names.includes(name), there, `round ${round}: ${name}`);
    }
    fleeting.clear();
    for (const name of names.filter((name) => name.startsWith('fleeting'))) {
      await server.request('DELETE', `/v1/machines/${name}`);
    }
    const vcpus: VcpuClient[] = [];
    for (const machine of LOADED) {
      if (round === 0) {
        const { status, body } = await server.request('POST', '/v1/machines', { name: machine });
        t.equal(status, 201, JSON.stringify(body));
      }
      const vcpu = await server.connect(machine);
      if (round === 0) {
        marks[machine] = { written: 0, acknowledged: 0, kept: { mark: 0, counter: 0n }, counter: 0n };
        await vcpu.write(MARK, 8, 0);
        await vcpu.write(timerConfiguration(0), 8, route(20) | ENABLE);
        await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
      } else {
        const known = marks[machine];
        const mark = Number(await vcpu.read(MARK, 8));
        const now = await vcpu.read(MAIN_COUNTER, 8);
        t.ok(mark >= known.kept.mark, `round ${round}: ${machine} has mark ${mark}, ${known.kept.mark} was kept`);
        t.ok(mark <= known.written, `and none after ${known.written}`);
        const least = counter === 'jump' ? known.counter : known.kept.counter;
        t.ok(now >= least, `round ${round}: ${counter}: the counter is at ${now}, not before ${least}`);
        known.counter = now;
      }
      vcpus.push(vcpu);
    }
    const loads = LOADED.map((machine, index) => load(vcpus[index], marks[machine]));
    const churn = comeAndGo(server, round);
    await Promise.all(LOADED.map((machine) => awaitKept(folder, machine)));
    await delay(random.below(LOAD_MS));
    const killed = Date.now();
    await server.kill();
    await Promise.all([...loads, churn]);
    for (const machine of LOADED) {
      oldest = Math.max(oldest, killed - readCheckpoint(folder, machine).snapshot.takenAt);
    }
  }
  t.same(
    readdirSync(folder).filter((file) => file.includes('damaged')),
    [],
  );
  t.comment(`${tier.killRounds} rounds, interval ${INTERVAL_MS} ms: the oldest checkpoint was ${oldest} ms old`);
  t.ok(oldest < INTERVAL_MS + tier.killSlackMs, `${oldest} ms`);
});
