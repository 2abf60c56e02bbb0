import { setTimeout } from 'node:timers/promises';
import type { TestNode } from './cluster.js';
import type { FenceChecker } from './fences.js';
import { UpgradeRefused, VcpuClient } from './vcpu-client.js';

/** A comparator holds 64 bits that only its vCPU writes. */
const COMPARATOR = 0xfed00108;
/** ms after which a request counts as unanswered, and the client tries another node. */
const PATIENCE = 4000;

export interface GuestFigures {
  readonly operations: number;
  readonly connections: number;
  /** Times at which the machine had a new epoch. */
  readonly restored: number;
  /** ms of the longest time without an answer. */
  readonly longestSilence: number;
}

/** A vCPU that counts in a register of its machine, through whichever node takes it, and checks what it reads again. */
export class Guest {
  readonly wrong: string[] = [];
  operations = 0;
  connections = 0;
  restored = 0;
  longestSilence = 0;
  /** Last value that was sent, that was answered, and that is in a checkpoint. */
  #sent = 0;
  #answered = 0;
  #durable = 0;
  #epoch = '';
  #token: string | undefined;
  #isStopped = false;
  #lastAnswer = performance.now();
  readonly #open = new Set<VcpuClient>();
  readonly #done: Promise<void>;

  constructor(
    readonly machine: string,
    /** As they are at any time. */
    readonly nodes: () => readonly TestNode[],
    readonly checker: FenceChecker,
    readonly pauseMs: number,
    /** The node that it tries first. */
    readonly first: number,
  ) {
    this.#done = this.#run();
  }

  /** Resolves when a request that was sent after this call is answered. */
  async continues(): Promise<void> {
    for (const before = this.operations; this.operations < before + 2; ) await setTimeout(20);
  }

  /** Resolves when what was answered before is in a checkpoint. */
  async mark(): Promise<void> {
    await this.continues();
    const value = this.#answered;
    // The state of the first that is written from now on may be from before.
    for (let checkpoints = 0; checkpoints < 2; checkpoints++) {
      const before = this.checker.checkpointOf(this.machine);
      while (this.checker.checkpointOf(this.machine) === before) await setTimeout(20);
    }
    this.#durable = value;
  }

  async stop(): Promise<GuestFigures> {
    this.#isStopped = true;
    await this.#done;
    for (const client of this.#open) client.socket.terminate();
    return this;
  }

  async #run(): Promise<void> {
    for (let turn = this.first; !this.#isStopped; turn++) {
      const nodes = this.nodes();
      try {
        await this.#use(nodes[turn % nodes.length]);
      } catch {
        await setTimeout(100);
      }
    }
  }

  async #use(node: TestNode): Promise<void> {
    const url = `${node.url.replace('http', 'ws')}/v1/machines/${this.machine}/vcpus/0`;
    // Only version 1.1 names the epoch.
    const first = await this.#connect(url, 'southbridge.v1.1.json');
    const { epoch } = first.hello;
    const client = await this.#connect(url, 'southbridge.v1.json');
    first.socket.close();
    this.connections++;
    this.#open.add(client);
    const fence = Number(client.hello.fence);
    if (Number(first.hello.fence) !== fence) {
      client.socket.close();
      return;
    }
    this.checker.frame(this.machine, fence);
    // Also of a connection that was given up: an earlier owner sends nothing after the first frame of a later one.
    client.socket.on('message', () => this.checker.frame(this.machine, fence));
    client.socket.on('close', () => this.#open.delete(client));
    try {
      await this.#readAgain(client, epoch);
      while (!this.#isStopped) {
        const reply = await this.#answerOf(client, client.write(COMPARATOR, 8, ++this.#sent));
        if (reply.type !== 'reply') throw new Error(JSON.stringify(reply));
        this.#answered = this.#sent;
        this.operations++;
        await Promise.race([setTimeout(this.pauseMs), client.closed]);
      }
    } finally {
      client.socket.close();
    }
  }

  /** Takes the place of the connection before, which a node that is stopped may hold open. */
  async #connect(url: string, protocol: string): Promise<VcpuClient> {
    const resumeToken = this.#token;
    const connecting = VcpuClient.connect(url, { protocols: [protocol], ...(resumeToken && { resumeToken }) });
    let client: VcpuClient;
    try {
      client = await within(connecting);
    } catch (error) {
      // The next owner does not know the token.
      if (error instanceof UpgradeRefused) this.#token = undefined;
      // One that is late would take the place of the next.
      connecting.then(({ socket }) => socket.terminate()).catch(() => {});
      throw error;
    }
    this.#token = client.hello.resumeToken;
    return client;
  }

  /** What was answered in this epoch must be there; of an epoch before, what is durable. */
  async #readAgain(client: VcpuClient, epoch: string): Promise<void> {
    const value = Number(await this.#answerOf(client, client.read(COMPARATOR, 8)));
    const isFirst = this.#epoch === '';
    if (!isFirst && epoch !== this.#epoch) this.restored++;
    const least = epoch === this.#epoch ? this.#answered : this.#durable;
    if (!isFirst && (value < least || value > this.#sent))
      this.wrong.push(`${this.machine}: ${value} is not between ${least} and ${this.#sent}`);
    this.#epoch = epoch;
    if (!isFirst) this.#answered = value;
  }

  async #answerOf<T>(client: VcpuClient, answer: Promise<T>): Promise<T> {
    const closed = client.closed.then(({ reason }) => {
      throw new Error(reason);
    });
    closed.catch(() => {});
    const found = await within(Promise.race([answer, closed]));
    const now = performance.now();
    this.longestSilence = Math.max(this.longestSilence, now - this.#lastAnswer);
    this.#lastAnswer = now;
    return found;
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  const late = new AbortController();
  try {
    const timer = setTimeout(PATIENCE, undefined, { signal: late.signal }).then(() => {
      throw new Error('no answer');
    });
    timer.catch(() => {});
    return await Promise.race([work, timer]);
  } finally {
    late.abort();
  }
}

/** Sums of all guests. */
export async function stopAll(guests: readonly Guest[]) {
  const figures = await Promise.all(guests.map((guest) => guest.stop()));
  const sum = (key: keyof GuestFigures) => figures.reduce((total, each) => total + each[key], 0);
  return {
    operations: sum('operations'),
    connections: sum('connections'),
    restored: sum('restored'),
    longestSilence: Math.round(Math.max(0, ...figures.map((each) => each.longestSilence))),
    wrong: guests.flatMap(({ wrong }) => wrong),
  };
}
