import { setTimeout } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Test } from 'tap';

/** A message of a stream, as JetStream stores it. */
export interface StoredMessage {
  readonly stream: string;
  readonly subject: string;
  readonly sequence: number;
  /** Undefined: the value was removed. */
  readonly text: string | undefined;
}

interface Claim {
  readonly fence: number;
  readonly owner: string;
  /** Of the checkpoint that counts. */
  readonly number: number;
}

/**
 * Checks the rules of fences in what the nodes of a cluster have written and sent. It knows the formats that docs/scale.md
 * describes, and imports nothing of the cluster's code.
 */
export class FenceChecker {
  readonly violations: string[] = [];
  messages = 0;
  frames = 0;
  /** By machine, as it is in subjects. */
  readonly #claims = new Map<string, Claim>();
  readonly #events = new Map<string, { fence: number; node: string; epoch: string; sequence: bigint }>();
  readonly #clients = new Map<string, number>();

  /** Takes the next message of a stream. */
  stored({ stream, subject, sequence, text }: StoredMessage): void {
    this.messages++;
    const machine = /^\$KV\.[^.]+-machines\.machine\.([^.]+)$/.exec(subject)?.[1];
    if (machine !== undefined) this.#record(machine, sequence, text);
    else if (stream.endsWith('-events') && text !== undefined) this.#event(subject, text);
  }

  #wrong(what: string): void {
    this.violations.push(what);
  }

  #record(machine: string, sequence: number, text: string | undefined): void {
    if (text === undefined) {
      this.#claims.delete(machine);
      return;
    }
    const { fence: written, owner, checkpoint } = JSON.parse(text);
    const fence: number = written || sequence;
    const [, fenceText = '0', numberText = '0'] = /\.(\d+)\.(\d+)$/.exec(checkpoint) ?? [];
    const number = Number(fenceText) === fence ? Number(numberText) : 0;
    const claim = { fence, owner: owner ? `${owner.node}/${owner.incarnation}` : '', number };
    const at = `record ${sequence} of ${machine}`;
    if (fence > sequence) this.#wrong(`${at}: fence ${fence} is of no claim yet`);
    if (Number(fenceText) > fence) this.#wrong(`${at}: fence ${fence} has a checkpoint of the later ${fenceText}`);
    const before = this.#claims.get(machine);
    this.#claims.set(machine, claim);
    if (!before) return;
    if (fence < before.fence) this.#wrong(`${at}: fence ${fence} follows ${before.fence}`);
    if (fence !== before.fence) return;
    if (claim.owner !== '' && claim.owner !== before.owner) {
      this.#wrong(`${at}: ${claim.owner} follows ${before.owner || 'a release'} under fence ${fence}`);
    }
    // A failed change is reverted by one.
    if (number < before.number - 1) this.#wrong(`${at}: checkpoint ${number} follows ${before.number}`);
  }

  #event(subject: string, text: string): void {
    const { fence, node, epoch, sequence: decimal, type } = JSON.parse(text);
    const sequence = BigInt(decimal);
    const before = this.#events.get(subject);
    this.#events.set(subject, { fence, node, epoch, sequence });
    if (!before) return;
    const at = `${type} ${sequence} of ${subject}`;
    if (fence < before.fence) this.#wrong(`${at}: fence ${fence} follows ${before.fence}`);
    if (fence === before.fence && node !== before.node)
      this.#wrong(`${at}: ${node} writes under ${before.node}'s fence`);
    if (fence > before.fence && type !== 'epoch') this.#wrong(`${at}: fence ${fence} begins without its epoch`);
    if (epoch === before.epoch && sequence < before.sequence) this.#wrong(`${at}: follows event ${before.sequence}`);
  }

  /** The checkpoint that counts, of a machine whose name has letters and digits only. */
  checkpointOf(machine: string): string {
    const claim = this.#claims.get(machine);
    return `${claim?.fence}.${claim?.number}`;
  }

  /** Takes a frame that a client received on a connection whose `hello` had this fence. */
  frame(client: string, fence: number): void {
    this.frames++;
    const before = this.#clients.get(client) ?? 0;
    if (fence < before) this.#wrong(`${client} got a frame of fence ${fence} after one of ${before}`);
    else this.#clients.set(client, fence);
  }
}

/** Follows the streams of a cluster with a checker, across losses of servers. `settled` resolves when it has read everything. */
export async function watchFences(t: Test, servers: readonly string[], prefix = 'southbridge') {
  const connection = await connect({ servers: [...servers], maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const checker = new FenceChecker();
  const streams = [`KV_${prefix}-machines`, `${prefix}-events`].map((name) => ({ name, next: 1 }));
  let isOver = false;
  const reading = streams.map((stream) => follow(connection, stream, checker, () => isOver));
  t.teardown(async () => {
    isOver = true;
    await connection.close();
    await Promise.all(reading);
  });
  const settled = async () => {
    const manager = await jetstreamManager(connection, { timeout: 5000 });
    for (const stream of streams) {
      const { state } = await manager.streams.info(stream.name);
      while (stream.next <= state.last_seq) await setTimeout(20);
    }
    return checker;
  };
  return { checker, settled };
}

/** Reads a stream to its end and on, again from where it was whenever that fails. */
async function follow(
  connection: NatsConnection,
  stream: { readonly name: string; next: number },
  checker: FenceChecker,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    try {
      const client = jetstream(connection, { timeout: 2000 });
      const consumer = await client.consumers.get(stream.name, { opt_start_seq: stream.next });
      // A consumer whose server was lost gets heartbeats from nobody, and starts again.
      const messages = await consumer.consume({ max_messages: 500, idle_heartbeat: 1000 });
      for await (const message of messages) {
        if (message.seq < stream.next) continue;
        const isRemoved = message.headers?.get('KV-Operation') !== '' && message.headers !== undefined;
        const text = isRemoved && message.data.length === 0 ? undefined : message.string();
        checker.stored({ stream: stream.name, subject: message.subject, sequence: message.seq, text });
        stream.next = message.seq + 1;
      }
    } catch {
      await setTimeout(200);
    }
  }
}
