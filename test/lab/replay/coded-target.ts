import type { ReplayMachine, ReplayOptions, ReplayTarget, StepOutcome } from '../../../src/lab/replay/target.js';
import type { Output, Step, Trace } from '../../../src/lab/replay/trace.js';
import type { ClientMessage } from '../../../src/protocol/client-message.js';
import type { ClientCodec } from '../../../src/protocol/codec.js';
import type { IrqDetail, ServerMessage } from '../../../src/protocol/server-message.js';
import { CodedClient } from '../../support/coded-client.js';
import type { TestServer } from '../../support/server.js';

type Request = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, 'id'> : never) : never;

/** Replays on a server over one wire form of the vCPU socket. */
export class CodedTarget implements ReplayTarget {
  readonly name: string;
  #machines = 0;

  constructor(
    readonly server: Pick<TestServer, 'request' | 'socketUrl'>,
    readonly codec: ClientCodec,
    /** Connects to a vCPU in another way. */
    readonly connect: (path: string) => Promise<CodedClient> = (path) =>
      CodedClient.connect(server.socketUrl(path), codec),
  ) {
    this.name = codec.subprotocol;
  }

  async open(trace: Trace, { locking, profile, quirks }: ReplayOptions): Promise<ReplayMachine> {
    const name = `coded-${this.#machines++}`;
    const { timers, msi, routingCapability } = trace.hpet;
    const { status, body } = await this.server.request('POST', '/v1/machines', {
      name,
      clock: 'manual',
      locking,
      hpet: { timers, msi, routingCapability: `0x${routingCapability.toString(16)}`, profile, quirks },
      ioapic: { version: `0x${trace.ioapicVersion.toString(16)}` },
      pic: trace.kind === 'pic',
      vcpus: 1,
    });
    if (status !== 201) throw new Error(`machine ${name}: ${status} ${JSON.stringify(body)}`);
    const client = await this.connect(`/v1/machines/${name}/vcpus/0`);
    const machine = new CodedMachine(client, async () => {
      client.socket.close();
      await this.server.request('DELETE', `/v1/machines/${name}`);
    });
    await machine.request({ type: 'subscribe', kinds: ['line', 'apic', 'msi', 'intr'] });
    return machine;
  }

  async close(): Promise<void> {}
}

/** Requests are pipelined: what arrives between two answers belongs to the second. */
class CodedMachine implements ReplayMachine {
  #requests = 0;
  #read = 0;

  constructor(
    readonly client: CodedClient,
    readonly close: () => Promise<void>,
  ) {}

  async perform(step: Step): Promise<StepOutcome> {
    return outcomeOf(await this.request(requestOf(step)));
  }

  async request(request: Request): Promise<ServerMessage[]> {
    const { client } = this;
    const id = ++this.#requests;
    client.send({ ...request, id } as ClientMessage);
    await client.answers(id);
    const from = this.#read;
    while (!answers(client.received[this.#read++], id));
    return client.received.slice(from, this.#read);
  }
}

function answers(message: ServerMessage, id: number): boolean {
  return (message.type === 'reply' || message.type === 'error') && message.id === id;
}

function requestOf(step: Step): Request {
  switch (step.op) {
    case 'read':
    case 'write': {
      const { address, size } = step;
      const value = step.value ?? 0n;
      const write = step.op === 'write';
      const low = write ? Number(value & 0xffff_ffffn) : 0;
      const high = write ? Number(value >> 32n) : 0;
      return { type: 'access', access: { write, posted: false, address, size, low, high } };
    }
    case 'clock_step':
      return { type: 'step', ns: step.ns };
    case 'set_irq':
      return { type: 'line', gsi: step.pin, level: step.level };
    case 'eoi':
      return { type: 'eoi', vector: step.vector };
    case 'in':
      return { type: 'in', port: step.port };
    case 'out':
      return { type: 'out', port: step.port, value: Number(step.value) };
    case 'inta':
      return { type: 'inta' };
  }
}

function outcomeOf(messages: readonly ServerMessage[]): StepOutcome {
  const outputs = messages.flatMap((message) => (message.type === 'irq' ? outputsOf(message.event) : []));
  const answer = messages.at(-1);
  if (answer?.type === 'reply') {
    const { value, vector } = answer;
    const read = value && (BigInt(value.high) << 32n) | BigInt(value.low);
    return { value: vector === undefined ? read : BigInt(vector), outputs };
  }
  const isUnassigned = answer?.type === 'error' && answer.code === 'address-unassigned';
  return { value: undefined, outputs, refused: isUnassigned ? undefined : JSON.stringify(answer) };
}

function outputsOf(event: IrqDetail): Output[] {
  switch (event.kind) {
    case 'line':
      return event.source === 'external' ? [] : [{ out: 'irq', line: event.gsi, level: event.level }];
    case 'apic': {
      const { destination, logical, deliveryMode, vector, level } = event.message;
      const [dest_mode, trigger_mode] = [Number(logical), Number(level)];
      return [{ out: 'apic', dest: destination, dest_mode, delivery_mode: deliveryMode, vector, trigger_mode }];
    }
    case 'msi':
      return [{ out: 'msi', addr: event.address, data: event.data }];
    case 'intr':
      return [{ out: 'intr', level: event.level }];
  }
}
