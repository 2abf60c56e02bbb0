import { readFileSync } from 'node:fs';
import { credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Configuration } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import { BootClock } from '../../runtime/threads/boot-clock.js';
import { type Checkpoint, DamagedCheckpoint, decodeCheckpoint } from '../state/checkpoint.js';
import { Checkpoints } from '../state/checkpoints.js';
import type { Clock } from './clock.js';
import { ClusterService } from './cluster-service.js';
import { ClusterStorage } from './cluster-storage.js';
import { Directory } from './directory.js';
import { EventPublishers } from './events/event-publishers.js';
import { NatsEventLog } from './events/nats-event-log.js';
import { connectToNats, type NatsOptions, NatsStore } from './nats-store.js';
import { ClusterNode, type Host } from './node.js';
import { NodeSecret } from './node-secret.js';
import { Passports } from './passports.js';
import type { LeaseRecord, NodeLife } from './records.js';
import { type Entry, keyPart } from './store.js';

/** For one operation of the store, and for an offer, whose machines are claimed and started before it is answered. */
const TIMEOUT_MS = 2000;
const OFFER_MS = 10_000;

/** Part of the lease that others wait beyond it. Enough while the rate of each clock is within 9 % of real time: 1 + e < 1.2 (1 - e). */
const MARGIN = 0.2;
/** Leases between two searches for machines without an owner, besides those after the loss of a node. */
const SWEEP = 10;

/** A node of a cluster with the checkpoints of its machines, which are in the cluster's store. */
export interface Cluster {
  readonly cluster: ClusterService;
  readonly checkpoints: Checkpoints;
}

/** Connects to NATS. Throws `cluster-unreachable`, `cluster-nats-version` or `cluster-credentials`. */
export async function openCluster(configuration: Configuration, logger: Logger): Promise<Cluster> {
  const { cluster, limits } = configuration;
  const options: NatsOptions = {
    ...cluster,
    prefix: cluster.bucket,
    timeoutMs: TIMEOUT_MS,
    credentials: credentialsOf(cluster),
  };
  const connection = await connectToNats(options);
  try {
    const records = await NatsStore.open(connection, 'machines', options);
    const values = await NatsStore.open(connection, 'checkpoints', options);
    const { eventRecords: kept, eventHours: hours } = cluster;
    const log = await NatsEventLog.open(connection, options, { records: kept, hours });
    let checkpoints: Checkpoints | undefined;
    let service: ClusterService | undefined;
    const clock = systemClock();
    const events = new EventPublishers(log, clock, hours * 3_600_000, () => node);
    const node = new ClusterNode({
      node: cluster.node,
      address: cluster.address,
      records,
      checkpoints: values,
      clock,
      times: { ttl: cluster.leaseMs, margin: cluster.leaseMs * MARGIN },
      sweepMs: cluster.leaseMs * SWEEP,
      offer: (target, entries) => offer(connection, cluster.bucket, target, entries),
      host: {
        ...hostOf(
          () => checkpoints,
          () => events,
          logger,
        ),
        lease: (until) => service?.lease(until),
        get room() {
          const machines = limits.machines - [...(checkpoints?.machines ?? [])].length;
          return { machines, load: service?.load() ?? 0 };
        },
      },
    });
    const path = `the NATS buckets ${cluster.bucket}-*`;
    const secret = new NodeSecret(records, clock, cluster.leaseMs);
    const serve = () => serveNodes(connection, cluster.bucket, node, secret);
    const storage = new ClusterStorage(path, node, records, serve, events);
    checkpoints = new Checkpoints(storage, configuration, logger);
    const { members } = node;
    const passports = new Passports({ secret, members, life: () => (node.isHeld ? node.life : undefined) });
    const directory = new Directory(records, members);
    service = new ClusterService(node, checkpoints, events, directory, passports);
    return { cluster: service, checkpoints };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The host's, which goes on in a suspend: leases run out then as well. */
function systemClock(): Clock {
  const clock = new BootClock();
  return {
    now: () => clock.now(),
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** What runs the machines of this node. */
function hostOf(
  checkpoints: () => Checkpoints | undefined,
  events: () => EventPublishers,
  logger: Logger,
): Omit<Host, 'room'> {
  return {
    run: async (owned, contents) => {
      const checkpoint = decode(contents, owned.name);
      await checkpoints()?.adopt(checkpoint, owned.isOrderly);
      events().owns(owned);
      logger.info({ machine: owned.name, fence: owned.fence }, `machine ${owned.name} continues on this node`);
    },
    stop: (machine) => {
      checkpoints()
        ?.disown(machine)
        .catch((err) => logger.error({ err, machine }, `machine ${machine} did not end`));
    },
    warn: (message, err) => logger.warn({ err }, message),
  };
}

/** Throws `checkpoint-damaged` or `checkpoint-version`. */
function decode(contents: Uint8Array, machine: string): Checkpoint {
  try {
    const checkpoint = decodeCheckpoint(Buffer.from(contents), machine);
    if (checkpoint.config.name === machine) return checkpoint;
    throw new DamagedCheckpoint(`it is of a machine ${checkpoint.config.name}`);
  } catch (error) {
    if (!(error instanceof DamagedCheckpoint)) throw error;
    throw new SouthbridgeError('checkpoint-damaged', { machine, reason: error.message });
  }
}

function credentialsOf({ credentialsFile }: Configuration['cluster']): NatsOptions['credentials'] {
  if (credentialsFile === '') return {};
  try {
    return { authenticator: credsAuthenticator(readFileSync(credentialsFile)) };
  } catch (error) {
    throw new SouthbridgeError('cluster-credentials', { file: credentialsFile, reason: (error as Error).message });
  }
}

function offersTo(bucket: string, { node, incarnation }: NodeLife): string {
  return `${bucket}.offers.${keyPart(node)}.${incarnation}`;
}

async function offer(
  connection: NatsConnection,
  bucket: string,
  target: LeaseRecord,
  entries: readonly Entry[],
): Promise<number> {
  const text = JSON.stringify(entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString() })));
  const answer = await connection.request(offersTo(bucket, target), text, { timeout: OFFER_MS });
  return Number(answer.string());
}

async function serveNodes(
  connection: NatsConnection,
  bucket: string,
  node: ClusterNode,
  secret: NodeSecret,
): Promise<() => Promise<void>> {
  await secret.start();
  const end = serveOffers(connection, bucket, node);
  return () => {
    secret.stop();
    return end();
  };
}

/** Takes offers for this node, under whichever incarnation; returns what ends that, and the connection. */
function serveOffers(connection: NatsConnection, bucket: string, node: ClusterNode): () => Promise<void> {
  connection.subscribe(offersTo(bucket, { node: node.parts.node, incarnation: '*' }), {
    callback: (error, message) => {
      if (error) return;
      const entries = message.json<(Omit<Entry, 'value'> & { value: string })[]>();
      node.offered(entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value) }))).then(
        (claimed) => message.respond(String(claimed)),
        () => message.respond('0'),
      );
    },
  });
  return () => connection.close();
}
