import { setTimeout } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ConfigurationInput } from '../../src/config/schema.js';
import { TestCluster, type TestNode } from './cluster.js';
import { watchFences } from './fences.js';
import { Guest, stopAll } from './guests.js';
import { NatsCluster } from './nats.js';
import { southbridgeBeside } from './program.js';

/** All guests together perform so many operations in a second. */
const RATE = 300;
const AT_A_TIME = 8;

/** Three nodes on three NATS servers, machines spread over them, and a guest in each machine. */
export class FailingCluster {
  readonly guests: Guest[] = [];
  nodes: TestNode[];

  private constructor(
    readonly t: Test,
    readonly nats: NatsCluster,
    cluster: TestCluster,
    readonly fences: Awaited<ReturnType<typeof watchFences>>,
  ) {
    this.nodes = [...cluster.nodes];
  }

  static async start(
    t: Test,
    machines: number,
    parts: { readonly nats?: NatsCluster; readonly urlsOf?: (node: number) => readonly string[] } = {},
  ): Promise<FailingCluster> {
    const nats = parts.nats ?? (await NatsCluster.start(t, 3));
    const input: ConfigurationInput = { limits: { machines: machines + 10 }, stateIntervalMs: 1000 };
    const cluster = await TestCluster.on(nats, t, 3, input, parts.urlsOf);
    const failing = new FailingCluster(t, nats, cluster, await watchFences(t, nats.urls));
    await failing.#populate(machines);
    return failing;
  }

  async #populate(machines: number): Promise<void> {
    const left = Array.from({ length: machines }, (_, index) => index);
    const worker = async () => {
      for (let index = left.shift(); index !== undefined; index = left.shift()) {
        const node = this.nodes[index % this.nodes.length];
        const { status, body } = await node.request('POST', '/v1/machines', { name: `m${index}`, vcpus: 1 });
        if (status !== 201) throw new Error(JSON.stringify(body));
        // Half of the guests reach their machine through another node.
        const first = index + (index % 2);
        const pause = (1000 * machines) / RATE;
        this.guests.push(new Guest(`m${index}`, () => this.nodes, this.fences.checker, pause, first));
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    await this.continues();
    await this.marks();
  }

  /** Resolves when every guest gets answers. */
  async continues(): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest.continues()));
  }

  /** Resolves when the last answer of every guest is in a checkpoint. */
  async marks(): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest.mark()));
  }

  /** ms until all machines run on these nodes. */
  async runsOn(nodes: readonly TestNode[]): Promise<number> {
    const began = performance.now();
    const names = new Set(nodes.map(({ name }) => name));
    for (;;) {
      const { status, body } = await nodes[0].request('GET', '/v1/machines').catch(() => ({ status: 0, body: {} }));
      if (status === 200) {
        const isOwned = ({ name, node }: { name: string; node: string }) => /^m\d+$/.test(name) && names.has(node);
        const owned = body.machines.filter(isOwned);
        if (owned.length >= this.guests.length) return performance.now() - began;
      }
      await setTimeout(100);
    }
  }

  /** The load generator on a machine of its own on `owner`, through `node`. */
  async load(node: TestNode, owner: TestNode, ms: number): Promise<void> {
    const name = `load-${node.name}-${owner.name}`;
    const machine = { name, vcpus: 4, hpet: { timers: 8 } };
    const made = await owner.request('POST', '/v1/machines', machine);
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    const options = ['--machine', name, '--vcpus', '4', '--rate', '100', '--duration', `${ms}ms`, '--json'];
    const { status, stdout, stderr } = await southbridgeBeside(['load', '--url', node.url, ...options]);
    this.t.equal(status, 0, `the load through ${node.name} on ${owner.name} is exact: ${stdout} ${stderr}`);
    await owner.request('DELETE', `/v1/machines/${name}`);
  }

  /** Ends the guests, and requires that they and the checker found nothing. */
  async finish(what: string) {
    const { t } = this;
    await this.continues();
    const figures = await stopAll(this.guests);
    const { violations, messages, frames } = await this.fences.settled();
    t.strictSame(violations, [], `no fence is violated in ${messages} messages and ${frames} frames`);
    t.strictSame(figures.wrong, [], 'no guest lost what was answered, beyond a restore');
    const { operations, connections, restored, longestSilence } = figures;
    t.comment(
      `${what}: ${this.guests.length} guests, ${operations} operations, ${connections} connections, ${restored} restored, longest silence ${longestSilence} ms`,
    );
    return figures;
  }
}
