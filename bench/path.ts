import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import * as guest from '../src/core/devices/guest-map.js';
import { ENABLE_CNF, INT_ENB_CNF, INT_ROUTE_SHIFT, INT_TYPE_CNF } from '../src/core/devices/hpet/registers.js';
import { TRIGGER_LEVEL } from '../src/core/devices/ioapic/registers.js';

/**
 * Counts the path of a comparator write that raises a line, from the frame to the reply: the functions of the server that
 * are called, by file. V8's precise coverage counts them in the gateway's thread, which executes the write inline. Each
 * write settles a match that is overdue, because a BQL load holds up the main loop. The smallest of some counts is
 * shown: timers of the server add to the others.
 *
 *     npm run bench:path -- [PROGRAM]
 *
 * PROGRAM is the `dist/src/cli.js` of another build, for a comparison.
 */
const TRIALS = 20;
const COUNTED = 8;
const TICKS_PER_MS = 100_000;
const SELF = fileURLToPath(import.meta.url);
const PROGRAM = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const PIN = 20;

/** Calls by file, below the folders of the source. */
type Calls = { readonly [file: string]: number };

/** In the server's process: begins to count at a message, and answers the next one with the counts. */
async function countInServer(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  process.on('message', async (message) => {
    if (message === 'begin') {
      await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
      process.send?.('begun');
      return;
    }
    const { result } = await session.post('Profiler.takePreciseCoverage');
    await session.post('Profiler.stopPreciseCoverage');
    const calls: Record<string, number> = {};
    for (const { url, functions } of result) {
      const [, file] = /\/dist\/((?:src|routes)\/.*)\.js$/.exec(url) ?? [];
      const count = functions.reduce((sum, { ranges }) => sum + ranges[0].count, 0);
      if (file && count > 0) calls[`${file}.ts`] = count;
    }
    process.send?.(calls);
  });
}

/** A vCPU's connection: requests one after the other. */
class Vcpu {
  #id = 0;
  #interrupts = 0;

  constructor(readonly socket: WebSocket) {}

  /** The reply, and whether an interrupt came before it. */
  async ask(request: object): Promise<{ value?: string; interrupted: boolean }> {
    const id = ++this.#id;
    const before = this.#interrupts;
    const answer = new Promise<{ value?: string }>((resolve, reject) => {
      const listener = (data: unknown) => {
        const message = JSON.parse(String(data));
        if (message.type === 'interrupt') this.#interrupts++;
        if (message.id !== id || message.type === 'hello') return;
        this.socket.off('message', listener);
        if (message.type === 'error') reject(new Error(message.message));
        else resolve(message);
      };
      this.socket.on('message', listener);
    });
    this.socket.send(JSON.stringify({ ...request, id }));
    return { ...(await answer), interrupted: this.#interrupts > before };
  }

  write(address: number, size: number, value: number) {
    return this.ask({ type: 'write', address: hex(address), size, value: hex(value), posted: false });
  }

  async counter(): Promise<number> {
    return Number((await this.ask({ type: 'read', address: hex(guest.HPET_COUNTER), size: 8 })).value);
  }
}

const hex = (value: number) => `0x${value.toString(16)}`;

/** One comparator write, counted; undefined if the line rose before it. */
async function trial(child: ChildProcess, vcpu: Vcpu): Promise<Calls | undefined> {
  // Level-triggered: the status bit lowers the line.
  await vcpu.write(guest.HPET_STATUS, 8, 1);
  await vcpu.ask({ type: 'eoi', vector: 0x44 });
  await vcpu.write(guest.hpetComparator(0), 8, (await vcpu.counter()) + TICKS_PER_MS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const later = (await vcpu.counter()) + 100_000 * TICKS_PER_MS;
  child.send('begin');
  await once(child, 'message');
  const { interrupted } = await vcpu.write(guest.hpetComparator(0), 8, later);
  child.send('take');
  const [calls] = await once(child, 'message');
  return interrupted ? calls : undefined;
}

const sum = (calls: Calls) => Object.values(calls).reduce((total, count) => total + count, 0);

async function main(program: string): Promise<void> {
  const args = ['--import', SELF, program, 'serve', '--port', '0', '--log-level', 'error', '--execution', 'auto'];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, COUNT_CALLS: '1' },
  });
  try {
    const [text] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    const [url] = /http:\/\/[\d.:]+/.exec(String(text)) ?? [];
    const body = {
      name: 'path',
      vcpus: 1,
      locking: 'lockless-timer+irq',
      bql: { load: { duty: 0.95, hold: '900000000' } },
    };
    const made = await fetch(`${url}/v1/machines`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!made.ok) throw new Error(await made.text());
    const socket = new WebSocket(`${url?.replace('http', 'ws')}/v1/machines/path/vcpus/0`, ['southbridge.v1.json']);
    await once(socket, 'message');
    const vcpu = new Vcpu(socket);
    await vcpu.write(guest.IOAPIC_SELECT, 4, guest.redirectionEntry(PIN));
    await vcpu.write(guest.IOAPIC_WINDOW, 4, 0x44 | TRIGGER_LEVEL);
    await vcpu.write(guest.hpetTimer(0), 8, (PIN << INT_ROUTE_SHIFT) | INT_ENB_CNF | INT_TYPE_CNF);
    await vcpu.write(guest.HPET_CONFIGURATION, 8, ENABLE_CNF);
    const counted: Calls[] = [];
    for (let i = 0; i < TRIALS && counted.length < COUNTED; i++) {
      const calls = await trial(child, vcpu);
      if (calls) counted.push(calls);
    }
    socket.close();
    const [least] = counted.sort((one, other) => sum(one) - sum(other));
    if (!least) throw new Error(`no write of ${TRIALS} raised the line`);
    for (const [file, count] of Object.entries(least).sort())
      process.stdout.write(`${String(count).padStart(5)}  ${file}\n`);
    process.stdout.write(`${String(sum(least)).padStart(5)}  calls in ${Object.keys(least).length} files\n`);
  } finally {
    child.kill();
  }
}

if (process.env.COUNT_CALLS) await countInServer();
else await main(process.argv[2] ?? PROGRAM);
