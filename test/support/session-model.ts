import { cp, rm } from 'node:fs/promises';
import { WebSocket } from 'ws';
import type { ConfigurationInput } from '../../src/config/schema.js';
import { FAULTS, FaultProxy } from './fault-proxy.js';
import { timerComparator, writeEntry } from './guest.js';
import { Random } from './random.js';
import { TestServer } from './server.js';
import type { ClientUnderTest, Operation, Outcome } from './session-clients.js';
import type { VcpuClient } from './vcpu-client.js';

/** A client that makes no progress is a failure: no request takes this long otherwise. */
const STUCK_MS = 60_000;
/** Nothing that is lost comes within this. */
const GAP_MS = 5_000;
const REGISTER = timerComparator(0);
/** The line of the client, that of the other client, and an input of the 8259 pair. */
const [OWN_LINE, OTHER_LINE, PIC_LINE] = [5, 4, 3];
const PIC_VECTOR = 0x20 + PIC_LINE;

export interface ModelOptions {
  readonly seed: number;
  /** A folder for the state of servers; none without it. */
  readonly stateDir?: string;
  readonly pendingInterrupts?: number;
  readonly connect: (url: string) => Promise<ClientUnderTest>;
}

interface Issued {
  readonly operation: Operation;
  readonly expected: number | undefined;
  readonly outcome: Promise<Outcome>;
}

/** What replaces the state of the machine, or the server. */
const UPHEAVALS = ['snapshot', 'snapshot', 'snapshot', 'recreate', 'restart', 'kill'] as const;
type Upheaval = (typeof UPHEAVALS)[number];

/**
 * One client of vCPU 0 behind a bad network, another client and an observer beside it, and a model of what the first must see:
 * each request is applied once, in order, and each event arrives once, in order, whatever breaks.
 */
export class SessionModel {
  operations = 0;
  rounds = 0;
  readonly counts: Record<string, number> = {};
  readonly #random: Random;
  #server!: TestServer;
  #proxy!: FaultProxy;
  #client!: ClientUnderTest;
  #other!: VcpuClient;
  #stateDir: string | undefined;
  #folders = 0;
  /** Events for vCPU 0 as the observer sees them, by epoch, and the number of the last event it saw. */
  #observed: string[][] = [[]];
  #seen = 0;
  /** Events that the client has had since the round began are those from here on. */
  #from = 0;
  #register = 0;
  #time = 0;
  #level: 0 | 1 = 0;

  private constructor(readonly options: ModelOptions) {
    this.#random = new Random(options.seed);
    this.#stateDir = options.stateDir;
  }

  static async start(options: ModelOptions): Promise<SessionModel> {
    const model = new SessionModel(options);
    await model.#startServer(0);
    model.#proxy = await FaultProxy.start(Number(new URL(model.#server.url).port), model.#random);
    model.#client = await options.connect(model.#proxy.url);
    await model.#setUp();
    return model;
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#proxy.stop();
    await this.#server.stop();
  }

  async #startServer(port: number): Promise<void> {
    const { pendingInterrupts } = this.options;
    const input: ConfigurationInput = {
      port,
      machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
      ...(pendingInterrupts && { limits: { pendingInterrupts } }),
      ...(this.#stateDir && { stateDir: this.#stateDir, stateIntervalMs: 100 }),
    };
    this.#server = await TestServer.start(input);
    await this.#observe();
  }

  async #observe(): Promise<void> {
    this.#other = await this.#server.connect('m', 1);
    const observer = new WebSocket(this.#server.socketUrl('/v1/machines/m/irqs'), 'southbridge.v1.json');
    this.#seen = 0;
    observer.on('message', (data) => this.#note(JSON.parse(String(data))));
    await new Promise((resolve) => observer.once('message', resolve));
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sends
  #note(message: any): void {
    if (message.type === 'hello') this.#seen = Number(message.sequence);
    // Of a snapshot that was restored: the observer reads fast enough for all else.
    else if (message.type === 'gap') {
      this.#seen = Number(message.to);
      this.#observed.push([]);
    } else {
      this.#seen = Number(message.sequence);
      if (message.kind === 'apic' && message.destination === 0) this.#observed.at(-1)?.push(`interrupt ${this.#seen}`);
      if (message.kind === 'intr') this.#observed.at(-1)?.push(`intr ${this.#seen}`);
    }
  }

  /** Brings the machine into a state that the model knows. */
  async #setUp(): Promise<void> {
    for (const pin of [OWN_LINE, OTHER_LINE]) await writeEntry(this.#other, pin, 0x30 + pin, 0);
    await this.#other.request({ type: 'line', gsi: OTHER_LINE, level: 0 });
    for (const gsi of [OWN_LINE, PIC_LINE]) await this.#client.perform({ kind: 'line', gsi, level: 0 });
    // ICW1 to ICW4 with automatic EOI; all inputs but one are masked.
    for (const [port, value] of Object.entries({ '0x20': '0x11', '0x21': '0x20' })) await this.#out(port, value);
    for (const value of ['0x4', '0x3', '0xf7']) await this.#out('0x21', value);
    await this.#client.perform({ kind: 'write', address: REGISTER, value: 0 });
    this.#register = 0;
    this.#level = 0;
    await this.#caughtUp();
    this.#from = this.#client.events.length;
    this.#observed = [[]];
  }

  async #out(port: string, value: string): Promise<void> {
    await this.#other.request({ type: 'out', port, value });
  }

  /** The observer has all events so far, and the server counts on no acknowledgement any more. */
  async #caughtUp(): Promise<void> {
    for (;;) {
      const { sequence, virtualTime, vcpus } = await this.#server.get('/v1/machines/m');
      this.#time = Number(virtualTime);
      if (Number(sequence) === this.#seen && vcpus[0].pending === 0) return;
      await this.#pause(5);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  // Rounds

  /** Random operations, then a check of all that they led to. Throws what is wrong. */
  async round(): Promise<void> {
    const random = this.#random;
    const length = 20 + random.below(60);
    const upheaval = random.below(5) === 0 ? UPHEAVALS[random.below(UPHEAVALS.length)] : undefined;
    const at = random.below(length);
    const begun = this.#time;
    const issued: Issued[] = [];
    for (let index = 0; index < length; index++) {
      if (index === at && upheaval) await this.#upheave(upheaval);
      await this.#operate(issued);
    }
    this.#proxy.heal();
    const outcomes = await this.#settled(issued);
    const isRemade = (await this.#perform({ kind: 'sync' })).error !== undefined;
    if (!isRemade) await this.#caughtUp();
    const changed = upheaval !== undefined && !(upheaval === 'restart' && this.#stateDir);
    try {
      this.#checkRequests(issued, outcomes, upheaval, changed);
      if (!isRemade) await this.#gapsCome(changed);
      const steps = issued.map(({ operation }) => (operation.kind === 'step' ? operation.ns : 0));
      const time = Number((await this.#server.get('/v1/machines/m')).virtualTime);
      const sum = steps.reduce((total, ns) => total + ns, begun);
      if (!changed && time !== sum) throw new Error(`the clock is at ${time}, not ${sum}: a step was lost or doubled`);
    } catch (error) {
      throw new Error(`seed ${this.options.seed}, round ${this.rounds}, ${upheaval}: ${(error as Error).message}`);
    }
    if (isRemade) {
      await this.#client.close();
      this.#client = await this.options.connect(this.#proxy.url);
    }
    this.rounds++;
    await this.#setUp();
  }

  async #operate(issued: Issued[]): Promise<void> {
    const random = this.#random;
    this.operations++;
    const choice = random.below(100);
    if (choice < 70) this.#issue(issued, choice);
    else if (choice < 85) {
      this.#count('other');
      for (const level of [1, 0]) await this.#other.request({ type: 'line', gsi: OTHER_LINE, level });
    } else if (choice < 92) {
      const fault = FAULTS[random.below(FAULTS.length)];
      this.#count(fault);
      this.#proxy.inject(fault);
    } else if (choice < 97) this.#proxy.heal();
    else await new Promise(setImmediate);
    if (random.below(3) === 0) await new Promise(setImmediate);
    if (random.below(4) === 0) this.#proxy.release();
  }

  #issue(issued: Issued[], choice: number): void {
    const value = this.#random.below(2 ** 31);
    if (choice < 30) this.#begin(issued, { kind: 'post', address: REGISTER, value });
    else if (choice < 38) this.#begin(issued, { kind: 'write', address: REGISTER, value });
    else if (choice < 48) this.#begin(issued, { kind: 'read', address: REGISTER }, this.#register);
    else if (choice < 58) {
      this.#level = this.#level ? 0 : 1;
      this.#begin(issued, { kind: 'line', gsi: OWN_LINE, level: this.#level });
    } else if (choice < 64) this.#begin(issued, { kind: 'step', ns: 1 + (value % 1_000_000) });
    else if (choice < 67) {
      this.#begin(issued, { kind: 'line', gsi: PIC_LINE, level: 1 });
      this.#begin(issued, { kind: 'inta' }, PIC_VECTOR);
      this.#begin(issued, { kind: 'line', gsi: PIC_LINE, level: 0 });
    } else this.#begin(issued, { kind: 'sync' });
    if (choice < 38) this.#register = value;
  }

  #begin(issued: Issued[], operation: Operation, expected?: number): void {
    this.#count(operation.kind);
    issued.push({ operation, expected, outcome: this.#client.perform(operation) });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  async #perform(operation: Operation): Promise<Outcome> {
    return (await this.#settled([{ operation, expected: undefined, outcome: this.#client.perform(operation) }]))[0];
  }

  async #settled(issued: readonly Issued[]): Promise<Outcome[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`seed ${this.options.seed}: no end of the requests`)), STUCK_MS);
    });
    const outcomes = await Promise.race([Promise.all(issued.map(({ outcome }) => outcome)), late]);
    clearTimeout(timer);
    return outcomes;
  }

  // What replaces the state

  async #upheave(upheaval: Upheaval): Promise<void> {
    this.#count(upheaval);
    if (upheaval === 'snapshot') {
      const snapshot = await this.#server.get('/v1/machines/m/snapshot');
      const { status, body } = await this.#server.request('PUT', '/v1/machines/m/snapshot', snapshot);
      if (status >= 300) throw new Error(`the snapshot was refused: ${JSON.stringify(body)}`);
      return;
    }
    // Nothing may happen that the observer does not see.
    this.#proxy.isBlocked = true;
    if (upheaval === 'recreate') await this.#recreate();
    else await this.#startAgain(upheaval === 'kill');
    this.#proxy.isBlocked = false;
  }

  async #recreate(): Promise<void> {
    if (this.#random.below(2) === 0) this.#proxy.inject('cut');
    await this.#server.request('DELETE', '/v1/machines/m');
    this.#observed.push([]);
    for (;;) {
      const { status } = await this.#server.request('POST', '/v1/machines', { name: 'm', clock: 'manual', vcpus: 2 });
      if (status < 300) break;
      await this.#pause(1);
    }
    await this.#observe();
  }

  async #startAgain(isKilled: boolean): Promise<void> {
    const { port } = new URL(this.#server.url);
    if (isKilled) this.#proxy.inject('cut');
    const folder = this.#stateDir;
    if (isKilled && folder) {
      // What is on the disk at this moment, as after a crash.
      this.#stateDir = `${this.options.stateDir}-${++this.#folders}`;
      await copyOf(folder, this.#stateDir);
    }
    await this.#server.stop();
    if (isKilled || !folder) this.#observed.push([]);
    await this.#startServer(Number(port));
  }

  // Checks

  #checkRequests(
    issued: readonly Issued[],
    outcomes: readonly Outcome[],
    upheaval: Upheaval | undefined,
    changed: boolean,
  ): void {
    for (const [index, { value, error }] of outcomes.entries()) {
      const { operation, expected } = issued[index];
      const what = `${index} ${JSON.stringify(operation)}`;
      const mayFail = upheaval === 'recreate' || (!this.#stateDir && (upheaval === 'restart' || upheaval === 'kill'));
      if (error && !mayFail) throw new Error(`${what} fails with ${error}`);
      if (!changed && value !== expected) throw new Error(`${what} gives ${value}, not ${expected}`);
    }
  }

  /** A gap goes out with the last acknowledgement, which the server has: the client gets it soon. */
  async #gapsCome(changed: boolean): Promise<void> {
    const end = performance.now() + GAP_MS;
    for (;;) {
      try {
        return this.#checkEvents(changed);
      } catch (error) {
        if (performance.now() > end) throw error;
        await this.#perform({ kind: 'sync' });
        await this.#pause(5);
      }
    }
  }

  #checkEvents(changed: boolean): void {
    const parts: string[][] = [[]];
    const gaps: { from: number; to: number }[] = [];
    for (const event of this.#client.events.slice(this.#from)) {
      if (event.type === 'restored') parts.push([]);
      else if (event.type === 'gap') gaps.push(event);
      else if (event.type !== 'irq') parts.at(-1)?.push(`${event.type} ${event.sequence}`);
    }
    if (parts.length !== (changed ? 2 : 1)) throw new Error(`${parts.length - 1} times restored`);
    const [before] = parts;
    const [wantedBefore] = this.#observed;
    const { pendingInterrupts = Number.POSITIVE_INFINITY } = this.options;
    if (gaps.length > 0 && this.#observed.every(({ length }) => length <= pendingInterrupts)) {
      throw new Error(`a gap ${JSON.stringify(gaps)} of ${this.#observed.map(({ length }) => length)} events`);
    }
    const isLeftOut = (event: string) => {
      const number = Number(event.split(' ')[1]);
      return gaps.some(({ from, to }) => from <= number && number <= to);
    };
    // In the last state all events arrive; in one that was replaced, those up to some moment.
    requireSame(parts.at(-1) ?? [], this.#observed.at(-1)?.filter((event) => !isLeftOut(event)) ?? []);
    if (changed) requireSame(before, wantedBefore.filter((event) => !isLeftOut(event)).slice(0, before.length));
  }
}

/** A checkpoint may be renamed at this moment. */
async function copyOf(folder: string, copy: string): Promise<void> {
  for (;;) {
    try {
      return await cp(folder, copy, { recursive: true, filter: (file) => !file.endsWith('lock') });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await rm(copy, { recursive: true, force: true });
    }
  }
}

function requireSame(events: readonly string[], wanted: readonly string[]): void {
  const at = wanted.findIndex((event, index) => events[index] !== event);
  const index = at < 0 ? wanted.length : at;
  if (at < 0 && events.length === wanted.length) return;
  throw new Error(`event ${index} of ${wanted.length} is ${events[index]}, not ${wanted[index]}`);
}
