import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Test } from 'tap';
import { temporaryFolder } from './temporary-folder.js';

const SCRIPT = fileURLToPath(new URL('../../../.ci/nats', import.meta.url));

/** The path of a nats-server, or why there is none. */
export const NATS = find();

/** For the options of a test. */
export const NO_NATS = NATS.binary === undefined && NATS.reason;

function find(): { readonly binary?: string; readonly reason: string } {
  const named = process.env.TEST_NATS;
  if (named) return { binary: named, reason: '' };
  const { status, stdout, error } = spawnSync(SCRIPT, [join(tmpdir(), 'southbridge-nats')], {
    timeout: 60_000,
    encoding: 'utf8',
  });
  if (status === 0) return { binary: stdout.trim(), reason: '' };
  return { reason: `TEST_NATS names no nats-server, and .ci/nats got none (${error?.message ?? `status ${status}`})` };
}

/** Ports on which nothing listens now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** One nats-server of a cluster. */
class NatsServer {
  #child: ChildProcess | undefined;

  constructor(
    readonly config: string,
    readonly url: string,
  ) {}

  start(): void {
    this.#child = spawn(NATS.binary as string, ['-c', this.config], { stdio: 'ignore' });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

/** Servers on loopback ports, clustered if there are several, with JetStream in a folder of the test. */
export class NatsCluster {
  private constructor(readonly servers: readonly NatsServer[]) {}

  get urls(): string[] {
    return this.servers.map(({ url }) => url);
  }

  /** `prepare` may put something in place of the folder of a server before it starts. */
  static async start(
    t: Pick<Test, 'teardown'>,
    count = 3,
    prepare: (folder: string, server: number) => void = () => {},
  ): Promise<NatsCluster> {
    const folder = temporaryFolder(t);
    const ports = await freePorts(2 * count);
    const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`);
    const servers = ports.slice(0, count).map((port, index) => {
      const config = join(folder, `${index}.conf`);
      mkdirSync(join(folder, `${index}`));
      prepare(join(folder, `${index}`), index);
      const cluster = `cluster { name: test, no_advertise: true, listen: "127.0.0.1:${ports[count + index]}", routes: ${JSON.stringify(routes)} }`;
      writeFileSync(
        config,
        `server_name: n${index}\nlisten: "127.0.0.1:${port}"\nlog_file: "${join(folder, `${index}.log`)}"\n` +
          `jetstream { store_dir: "${join(folder, `${index}`)}", max_mem: 64M, max_file: 1G }\n${count > 1 ? cluster : ''}\n`,
      );
      return new NatsServer(config, `nats://127.0.0.1:${port}`);
    });
    const nats = new NatsCluster(servers);
    t.teardown(() => nats.stop());
    for (const server of servers) server.start();
    await nats.ready();
    return nats;
  }

  /** Resolves when JetStream answers, which takes a leader. */
  async ready(): Promise<void> {
    const connection = await connect({ servers: this.urls, waitOnFirstConnect: true, maxReconnectAttempts: -1 });
    try {
      for (;;) {
        try {
          await jetstreamManager(connection, { timeout: 1000 });
          return;
        } catch {
          await setTimeout(50);
        }
      }
    } finally {
      await connection.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
  }
}
