import t from 'tap';
import { HPET_BASE } from '../../../src/core/devices/guest-map.js';
import { InlineExecution } from '../../../src/runtime/threads/inline.js';
import { WORK_PER_TURN } from '../../../src/server/flow/turn-budget.js';
import { MachineHandle } from '../../../src/server/service/machine-handle.js';
import { TestServer } from '../../support/server.js';
import { hex, type VcpuClient } from '../../support/vcpu-client.js';

const SOCKETS = 24;
const BATCH = 4096;
const BATCHES = 3;
const FRAMES = 100;

const READ = { type: 'read', address: hex(HPET_BASE + 0xf0), size: 8 };

/** Counts the accesses that the gateway begins, and the most of them in one turn of its event loop. */
class Turns {
  most = 0;
  total = 0;
  #now = 0;
  #isOver = false;
  readonly #restores: (() => void)[];

  constructor() {
    this.#restores = [this.#count(MachineHandle.prototype, 'perform'), this.#count(InlineExecution.prototype, 'run')];
    this.#turn();
  }

  #count<T extends object, K extends keyof T>(owner: T, name: K): () => void {
    const original = owner[name] as (...options: unknown[]) => unknown;
    const count = () => {
      this.total++;
      this.most = Math.max(this.most, ++this.#now);
    };
    owner[name] = function (this: T, ...options: unknown[]) {
      count();
      return original.apply(this, options);
    } as T[K];
    return () => {
      owner[name] = original as T[K];
    };
  }

  #turn(): void {
    this.#now = 0;
    if (!this.#isOver) setImmediate(() => this.#turn());
  }

  end(): void {
    this.#isOver = true;
    for (const restore of this.#restores) restore();
  }
}

/** Sends requests without a pause, some clients also a batch of the largest size; resolves with the ids of the answers. */
async function flood(client: VcpuClient, index: number): Promise<unknown[]> {
  const { socket, received } = client;
  const last = 2 * FRAMES + 1;
  for (let id = 1; id < last; id++) {
    const isBatch = id === FRAMES && index < BATCHES;
    socket.send(JSON.stringify(isBatch ? { type: 'batch', id, accesses: Array(BATCH).fill(READ) } : { ...READ, id }));
  }
  socket.send(JSON.stringify({ type: 'sync', id: last }));
  await client.next(({ id }) => id === last);
  return received.map(({ id }) => id).filter((id) => id !== undefined);
}

for (const execution of ['auto', 'threads'] as const) {
  t.test(`${execution}: the sockets of one machine have a bounded part of each turn of the gateway`, async (t) => {
    const server = await TestServer.start({
      execution,
      vcpuThreads: 1,
      limits: { framesPerSecond: 1_000_000 },
      machines: [{ name: 'm', vcpus: SOCKETS }],
    });
    t.teardown(server.stop);
    const clients = await Promise.all(Array.from({ length: SOCKETS }, (_, vcpu) => server.connect('m', vcpu)));
    const turns = new Turns();
    t.teardown(() => turns.end());
    const ids = await Promise.all(clients.map(flood));
    turns.end();
    t.ok(turns.total >= BATCHES * BATCH + SOCKETS * FRAMES, 'all accesses were begun');
    // What this turn had left, and what work that waited has of the next one before another callback runs.
    t.ok(turns.most <= 2 * WORK_PER_TURN, `at most ${turns.most} accesses in one turn`);
    const expected = Array.from({ length: 2 * FRAMES + 1 }, (_, index) => index + 1);
    for (const each of ids) if (String(each) !== String(expected)) t.fail('the answers of a socket are not in order');
  });
}
