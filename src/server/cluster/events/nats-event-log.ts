import {
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { type NatsOptions, unlessConflict, unreachable } from '../nats-store.js';
import { keyPart } from '../store.js';
import type { EventLog, LoggedRecord } from './event-log.js';

/** Records that a reader has in memory. */
const READ_AHEAD = 16;

/** How much of the events is kept. */
export interface Retention {
  /** Records of a machine. */
  readonly records: number;
  readonly hours: number;
}

/** A stream of JetStream, with a subject for each machine. */
export class NatsEventLog implements EventLog {
  private constructor(
    readonly client: JetStreamClient,
    readonly manager: JetStreamManager,
    readonly stream: string,
    readonly prefix: string,
  ) {}

  /** Makes the stream, or gives it this retention. Throws `cluster-unreachable`. */
  static async open(connection: NatsConnection, options: NatsOptions, retention: Retention): Promise<NatsEventLog> {
    const { prefix, replicas, timeoutMs: timeout, servers } = options;
    const name = `${prefix}-events`;
    const bounds = { max_msgs_per_subject: retention.records, max_age: nanos(retention.hours * 3_600_000) };
    try {
      const manager = await jetstreamManager(connection, { timeout });
      const fixed = {
        subjects: [`${prefix}.*.irq`],
        num_replicas: replicas,
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        discard: DiscardPolicy.Old,
        allow_direct: false,
      };
      // Several nodes may make it at the same time, which is an error if the retention differs.
      await manager.streams.add({ name, ...fixed, ...bounds }).catch(() => manager.streams.update(name, bounds));
      return new NatsEventLog(jetstream(connection, { timeout }), manager, name, prefix);
    } catch (error) {
      throw unreachable(servers, error);
    }
  }

  /** `<prefix>.<machine>.irq`: the name of the machine is one token. */
  #subject(machine: string): string {
    return `${this.prefix}.${keyPart(machine)}.irq`;
  }

  async last(machine: string): Promise<LoggedRecord | undefined> {
    const message = await this.manager.streams.getMessage(this.stream, { last_by_subj: this.#subject(machine) });
    return message ? { position: message.seq, data: message.data } : undefined;
  }

  append(machine: string, data: Uint8Array, expected: number): Promise<number> {
    const subject = this.#subject(machine);
    const options = { expect: { streamName: this.stream, lastSubjectSequence: expected } };
    return unlessConflict(
      subject,
      this.client.publish(subject, data, options).then(({ seq }) => seq),
    );
  }

  async *read(machine: string, from: number, signal: AbortSignal): AsyncGenerator<LoggedRecord> {
    const consumer = await this.client.consumers.get(this.stream, {
      filter_subjects: this.#subject(machine),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from),
    });
    const messages = await consumer.consume({ max_messages: READ_AHEAD });
    const close = () => void messages.close().catch(() => {});
    signal.addEventListener('abort', close, { once: true });
    try {
      if (signal.aborted) return;
      for await (const { seq, data } of messages) yield { position: seq, data };
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }
}
