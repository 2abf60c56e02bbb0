import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ConfigurationInput } from '../../src/config/schema.js';
import { freePorts, NatsCluster } from './nats.js';
import { CLI, Program } from './program.js';
import type { Reply } from './server.js';
import { temporaryFolder } from './temporary-folder.js';

/** A node of a cluster: a process of its own. */
export class TestNode {
  readonly #program: Program;

  constructor(
    readonly name: string,
    readonly url: string,
    readonly config: string,
    readonly onStart: (node: TestNode) => void,
  ) {
    onStart(this);
    this.#program = new Program([CLI, 'serve', '--config', config]);
  }

  get log(): string {
    return this.#program.stderr;
  }

  get exited(): Promise<number | null> {
    return this.#program.exited;
  }

  async ready(): Promise<void> {
    const line = await this.#program.line();
    if (line === undefined) throw new Error(`${this.name} did not start: ${this.log}`);
  }

  /** A new process of the same node, once the one before has ended. */
  async again(): Promise<TestNode> {
    await this.exited;
    const node = new TestNode(this.name, this.url, this.config, this.onStart);
    await node.ready();
    return node;
  }

  signal(name: NodeJS.Signals): void {
    this.#program.child.kill(name);
  }

  /** Whether this node has a machine: another one would redirect the client. */
  async owns(machine: string): Promise<boolean> {
    return (await this.request('GET', `/v1/machines/${machine}?redirect=true`)).status === 200;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: { readonly [name: string]: string } = {},
  ): Promise<Reply> {
    const type = body !== undefined && { 'content-type': 'application/json' };
    // A test says which node has a machine, unless it is about placement.
    const query = method === 'POST' && path === '/v1/machines' ? `?node=${this.name}` : '';
    const response = await fetch(this.url + path + query, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headers: { ...type, ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : text };
  }
}

/** Nodes on NATS servers of their own. */
export class TestCluster {
  private constructor(
    readonly nats: NatsCluster,
    readonly nodes: readonly TestNode[],
  ) {}

  /** One NATS server starts faster than three, and is enough where none of them fails. */
  static async start(t: Test, count: number, input: ConfigurationInput = {}, servers = 3): Promise<TestCluster> {
    return TestCluster.on(await NatsCluster.start(t, servers), t, count, input);
  }

  /** `urlsOf`: by which addresses a node reaches the servers. */
  static async on(
    nats: NatsCluster,
    t: Test,
    count: number,
    input: ConfigurationInput = {},
    urlsOf: (node: number) => readonly string[] = () => nats.urls,
  ): Promise<TestCluster> {
    const folder = temporaryFolder(t);
    const ports = await freePorts(count);
    const started: TestNode[] = [];
    const nodes = ports.map((port, index) => {
      const name = `n${index}`;
      const url = `http://127.0.0.1:${port}`;
      const { cluster: settings, ...rest } = input;
      const own = { servers: urlsOf(index), replicas: nats.servers.length, node: name, address: url, leaseMs: 3000 };
      const cluster = { ...own, ...settings };
      const config = join(folder, `${name}.json`);
      writeFileSync(config, JSON.stringify({ port, machines: [], stateIntervalMs: 500, cluster, ...rest }));
      return new TestNode(name, url, config, (node) => started.push(node));
    });
    t.teardown(async () => {
      for (const node of started) node.signal('SIGKILL');
      await Promise.all(started.map(({ exited }) => exited));
    });
    await Promise.all(nodes.map((node) => node.ready()));
    return new TestCluster(nats, nodes);
  }
}

/** The node that has a machine, of those that are asked, once one has it. */
export async function ownerOf(machine: string, nodes: readonly TestNode[]): Promise<TestNode> {
  for (;;) {
    for (const node of nodes) if (await node.owns(machine)) return node;
    await setTimeout(50);
  }
}

/** The values of a node's cluster metrics, by name and labels. */
export async function scrapeCluster(node: TestNode): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  const samples = text.matchAll(/^(southbridge_cluster_\S+) (\S+)$/gm);
  return new Map([...samples].map(([, sample, value]) => [sample, Number(value)]));
}
