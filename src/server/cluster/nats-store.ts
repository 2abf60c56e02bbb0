import { JetStreamApiError, jetstream } from '@nats-io/jetstream';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import { SouthbridgeError } from '../../errors.js';
import { type Change, type ClusterStore, Conflict, type Entry } from './store.js';

/** The first version of which a replicated bucket acknowledges one writer per revision. */
export const LEAST_VERSION = '2.10.27';

/** JetStream's codes for a revision that is not the last one. The second: while another write of the key is in flight. */
const WRONG_REVISION = [10_071, 10_164];

export interface NatsOptions {
  readonly servers: readonly string[];
  /** Of the buckets; 3 survive the loss of one server. */
  readonly replicas: number;
  /** Begins the names of the buckets. */
  readonly prefix: string;
  readonly credentials?: Pick<ConnectionOptions, 'user' | 'pass' | 'token' | 'tls' | 'authenticator'>;
  /** For one operation. */
  readonly timeoutMs: number;
}

/** A connection to NATS that reconnects for as long as the node runs. Throws `cluster-unreachable` or `cluster-nats-version`. */
export async function connectToNats({ servers, credentials, timeoutMs }: NatsOptions): Promise<NatsConnection> {
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: [...servers],
      ...credentials,
      timeout: timeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      pingInterval: 2000,
    });
  } catch (error) {
    throw unreachable(servers, error);
  }
  const { info } = connection;
  const version = info?.version ?? 'unknown';
  if (isAtLeast(version, LEAST_VERSION)) return connection;
  await connection.close();
  const server = info ? `${info.server_name} (${info.host}:${info.port})` : servers.join(', ');
  throw new SouthbridgeError('cluster-nats-version', { server, version, least: LEAST_VERSION });
}

export function unreachable(servers: readonly string[], error: unknown): SouthbridgeError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SouthbridgeError('cluster-unreachable', { servers: servers.join(', '), reason });
}

/** Whether a version `major.minor.patch`, with whatever follows, is not before another one. A beta comes before its release. */
export function isAtLeast(version: string, least: string): boolean {
  const [numbers, beta] = version.split(/-(.*)/s);
  const [found, wanted] = [numbers, least].map((text) => text.split('.').map(Number));
  if (found.length !== 3 || found.some((part) => !Number.isInteger(part))) return false;
  const different = found.findIndex((part, index) => part !== wanted[index]);
  return different < 0 ? beta === undefined : found[different] > wanted[different];
}

/** A key-value bucket of JetStream. Reads go to its leader: with `allow_direct` any replica would answer, and might be late. */
export class NatsStore implements ClusterStore {
  private constructor(readonly bucket: KV) {}

  /** Makes the bucket if it does not exist. Throws `cluster-unreachable`. */
  static async open(connection: NatsConnection, name: string, options: NatsOptions): Promise<NatsStore> {
    const { replicas, timeoutMs, prefix, servers } = options;
    try {
      const buckets = new Kvm(jetstream(connection, { timeout: timeoutMs }));
      const bucket = await buckets.create(`${prefix}-${name}`, { replicas, allow_direct: false, history: 1 });
      return new NatsStore(bucket);
    } catch (error) {
      throw unreachable(servers, error);
    }
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.bucket.get(key);
    return entry?.operation === 'PUT' ? entryOf(entry) : undefined;
  }

  create(key: string, value: Uint8Array): Promise<number> {
    return unlessConflict(key, this.bucket.create(key, value));
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return unlessConflict(key, this.bucket.update(key, value, revision));
  }

  delete(key: string, revision: number): Promise<void> {
    return unlessConflict(key, this.bucket.purge(key, { previousSeq: revision }));
  }

  remove(key: string): Promise<void> {
    return this.bucket.purge(key);
  }

  async list(prefix: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    const history = await this.bucket.history({ key: `${prefix}>` });
    for await (const entry of history) if (entry.operation === 'PUT') entries.push(entryOf(entry));
    return entries;
  }

  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of await this.bucket.keys(`${prefix}>`)) keys.push(key);
    return keys;
  }

  async watch(prefix: string, listener: (change: Change) => void): Promise<{ stop(): void }> {
    const changes = await this.bucket.watch({ key: `${prefix}>` });
    const report = async () => {
      for await (const entry of changes) {
        const value = entry.operation === 'PUT' ? entry.value : undefined;
        listener({ key: entry.key, value, revision: entry.revision });
      }
    };
    // It ends when it is stopped or the connection closes.
    report().catch(() => {});
    return { stop: () => changes.stop() };
  }
}

function entryOf({ key, value, revision }: KvEntry): Entry {
  return { key, value, revision };
}

export async function unlessConflict<T>(key: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof JetStreamApiError && WRONG_REVISION.includes(error.code)) throw new Conflict(key);
    throw error;
  }
}
