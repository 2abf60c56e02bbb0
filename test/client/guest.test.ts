import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { Vcpu } from '../../src/client/vcpu.js';
import { MAIN_COUNTER } from '../support/guest.js';
import { PERIOD } from '../support/guest-image.js';
import { CLI, Program } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';
import type { GuestData, GuestReport } from './drivers/guest-emulator.js';

const PACKAGE = 'v86@0.5.199';

/** The emulator, which only this test needs: 3.6 MB, BSD-2-Clause. SOUTHBRIDGE_V86 names a folder that has it. */
function fetchEmulator(): string | undefined {
  const given = process.env.SOUTHBRIDGE_V86;
  if (given) return given;
  const folder = temporaryFolder(t);
  const options = { cwd: folder, timeout: 120_000 };
  if (spawnSync('npm', ['pack', PACKAGE], options).status !== 0) return undefined;
  execFileSync('tar', ['xzf', 'v86-0.5.199.tgz'], options);
  return join(folder, 'package');
}

const isWanted = tier.guestInterrupts > 0;
const v86 = isWanted ? fetchEmulator() : undefined;

class Server {
  #program!: Program;

  /** 0 until it has started once. */
  #port = '0';

  private constructor(readonly stateDir: string) {}

  static async start(t: Test, stateDir: string): Promise<Server> {
    const server = new Server(stateDir);
    await server.start();
    t.teardown(() => server.end('SIGKILL'));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const settings = [
      'stateIntervalMs=100',
      `stateDir=${this.stateDir}`,
      'machines.0.name=m',
      'machines.0.clock=manual',
    ];
    const set = settings.flatMap((setting) => ['--set', setting]);
    this.#program = new Program([CLI, 'serve', '--port', this.#port, '--log-level', 'error', ...set]);
    const line = await this.#program.line();
    if (!line) throw new Error('the server does not start');
    this.#port = new URL(String(line.match(/http:\S+/)?.[0])).port;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#program.child.kill(signal);
    await this.#program.exited;
  }
}

t.test(
  'a guest on v86 counts each interrupt of an HPET timer, over a restart and a kill of the server',
  {
    skip: isWanted
      ? v86 === undefined && `npm has no ${PACKAGE} here`
      : 'only in the longer tiers: it fetches an emulator from npm',
  },
  async (t) => {
    const server = await Server.start(t, join(temporaryFolder(t), 'state'));
    const interrupts = tier.guestInterrupts;
    const third = Math.floor(interrupts / 3);
    const data: GuestData = { v86: String(v86), url: server.url, interrupts, reports: [third, 2 * third] };
    const guest = new Worker(new URL('./drivers/guest-emulator.js', import.meta.url), { workerData: data });
    const reports: GuestReport[] = [];
    let wake = () => {};
    guest.on('message', (report: GuestReport) => {
      reports.push(report);
      wake();
    });
    guest.on('error', (error) => t.fail(error.message));
    guest.on('exit', () => wake());
    const nextReport = async () => {
      const count = reports.length;
      while (reports.length === count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (reports.length === count) throw new Error('the guest ended');
      }
      return reports[count];
    };

    await nextReport();
    await server.end('SIGTERM');
    await server.start();
    const second = await nextReport();
    t.strictSame(second.restored, [], 'an orderly restart replaces no state');
    t.equal(second.ticks, second.delivered);
    await server.end('SIGKILL');
    await server.start();
    const { ticks, delivered, restored } = await nextReport();
    t.equal(restored.length, 1);
    t.equal(delivered, interrupts);
    t.equal(ticks, delivered, 'the guest counted what the client delivered');

    const vcpu = await Vcpu.connect(server.url, 'm', 0);
    const inState = Number(await vcpu.read(MAIN_COUNTER, 8)) / PERIOD;
    vcpu.close();
    const [{ undone, mayMiss }] = restored;
    const missed = inState - (delivered - undone);
    t.ok(missed === 0 || (mayMiss && missed === 1), `${inState} in the state, ${undone} undone, ${missed} missed`);
    t.comment(`${delivered} interrupts, ${undone} of them undone by the kill`);
  },
);
