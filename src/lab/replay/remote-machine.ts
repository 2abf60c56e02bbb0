import { access } from '../../client/access.js';
import { Connection } from '../../client/connection.js';
import type { ClientMessage } from '../../protocol/client-message.js';
import { readServerFrame } from '../../protocol/protobuf/answers.js';
import { clientFrame } from '../../protocol/protobuf/requests.js';
import type { IrqDetail, Reply, ServerHello, ServerMessage } from '../../protocol/server-message.js';
import { PROTO_SUBPROTOCOL } from '../../protocol/subprotocols.js';
import { type ReplayMachine, type StepOutcome, TargetLost } from './target.js';
import type { Output, Step } from './trace.js';

interface Pending {
  readonly id: number;
  resolve(outcome: StepOutcome): void;
  reject(error: TargetLost): void;
}

export interface RemoteMachineOptions {
  /** Bearer token, where the server wants one. */
  readonly token: string | undefined;
  /** Milliseconds for the connection and the server's hello. */
  readonly connectMs: number;
  /** Deletes the machine. */
  remove(): Promise<void>;
}

/**
 * A machine behind a vCPU socket, over the client's connection. Requests are pipelined, each in a frame of its own: as answers
 * come in order, and after all that a request caused, what arrives between two answers belongs to the second.
 */
export class RemoteMachine implements ReplayMachine {
  readonly #connection: Connection;
  readonly #pending: Pending[] = [];
  readonly #ended: Promise<void>;
  #id = 0;
  #outputs: Output[] = [];
  #lost: TargetLost | undefined;

  private constructor(
    server: string,
    path: string,
    readonly options: RemoteMachineOptions,
  ) {
    const { token, connectMs } = options;
    let end = () => {};
    this.#ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#connection = new Connection(
      server,
      { token, connectMs, reconnect: false },
      {
        // A replay ends with its connection, so it needs no session.
        resource: () => ({ path, protocols: [PROTO_SUBPROTOCOL] }),
        hello: (message) => this.#guarded(message, () => checkHello(message)),
        frame: (frame) => this.#receive(frame),
        lost: () => {},
        ended: (error) => {
          end();
          if (error) this.#lose(error.message.replace(/\.$/, ''));
        },
      },
    );
  }

  /** Connects to vCPU 0 and subscribes to everything that the machine puts out. Rejects with RequestError or TargetLost. */
  static async open(server: string, name: string, options: RemoteMachineOptions): Promise<RemoteMachine> {
    const machine = new RemoteMachine(server, `/v1/machines/${name}/vcpus/0`, options);
    await machine.#connection.open();
    const { refused } = await machine.#request({ type: 'subscribe', kinds: ['line', 'apic', 'msi', 'intr'] });
    if (refused !== undefined) throw machine.#lose(`the server refused to subscribe: ${refused}`);
    return machine;
  }

  perform(step: Step): Promise<StepOutcome> {
    switch (step.op) {
      case 'read':
        return this.#request({ type: 'access', access: access(step.address, step.size) });
      case 'write':
        return this.#request({ type: 'access', access: access(step.address, step.size, step.value) });
      case 'clock_step':
        return this.#request({ type: 'step', ns: step.ns });
      case 'set_irq':
        return this.#request({ type: 'line', gsi: step.pin, level: step.level });
      case 'eoi':
        return this.#request({ type: 'eoi', vector: step.vector });
      case 'in':
        return this.#request({ type: 'in', port: step.port });
      case 'out':
        return this.#request({ type: 'out', port: step.port, value: Number(step.value) });
      case 'inta':
        return this.#request({ type: 'inta' });
    }
  }

  async close(): Promise<void> {
    const lost = this.#lost;
    this.#lost ??= new TargetLost('the machine is closed');
    this.#connection.close();
    await this.#ended;
    if (lost) await this.options.remove().catch(() => {});
    else await this.options.remove();
  }

  #request(message: WithoutId<ClientMessage>): Promise<StepOutcome> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#pending.push({ id, resolve, reject });
      this.#connection.send(clientFrame({ ...message, id } as ClientMessage));
    });
  }

  #receive(frame: Uint8Array): void {
    if (this.#lost) return;
    let message: ServerMessage;
    try {
      message = readServerFrame(frame);
    } catch (error) {
      this.#lose(`the server sent the frame ${hexOf(frame)}: ${(error as Error).message}`);
      return;
    }
    this.#guarded(message, () => this.#take(message));
  }

  /** Gives the connection up if the message is not one that a replay expects. */
  #guarded(message: ServerMessage, take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#lose(`the server sent ${JSON.stringify(message).slice(0, 200)}: ${(error as Error).message}`);
    }
  }

  /** Throws on a message that is not expected. */
  #take(message: ServerMessage): void {
    switch (message.type) {
      case 'reply':
        this.#answer(message.id, { value: valueIn(message) });
        break;
      case 'error': {
        // Where no device answers, a bus reads 0, and that is no refusal.
        const refused = message.code === 'address-unassigned' ? undefined : `${message.code}: ${message.message}`;
        this.#answer(message.id, { value: undefined, refused });
        break;
      }
      case 'irq': {
        const output = outputOf(message.event);
        if (output) this.#outputs.push(output);
        break;
      }
      case 'interrupt':
      case 'intr':
        // Comes beside the event of the IRQ stream.
        break;
      default:
        throw new Error('a replay does not expect this message');
    }
  }

  #answer(id: number | undefined, outcome: Omit<StepOutcome, 'outputs'>): void {
    const pending = this.#pending[0];
    if (!pending) throw new Error('no answer is due');
    if (pending.id !== id) throw new Error(`the answer to ${pending.id} is due`);
    this.#pending.shift();
    pending.resolve({ ...outcome, outputs: this.#outputs });
    this.#outputs = [];
  }

  #lose(reason: string): TargetLost {
    this.#lost ??= new TargetLost(`${reason}; ${this.#pending.length} requests were unanswered`);
    for (const { reject } of this.#pending.splice(0)) reject(this.#lost);
    return this.#lost;
  }
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Throws unless the machine is one that a replay can drive. */
function checkHello({ version, clock }: ServerHello): void {
  if (version < 1 || clock !== 'manual') throw new Error('not a machine with a manual clock');
}

/** The value that a reply has, of a read or of an acknowledge cycle. */
function valueIn({ value, vector }: Reply): bigint | undefined {
  if (value) return (BigInt(value.high) << 32n) | BigInt(value.low);
  return vector === undefined ? undefined : BigInt(vector);
}

/** An event in the words of the golden traces; undefined for a line that the replay itself drives. */
function outputOf(event: IrqDetail): Output | undefined {
  switch (event.kind) {
    case 'line':
      return event.source === 'external' ? undefined : { out: 'irq', line: event.gsi, level: event.level };
    case 'apic': {
      const { destination, logical, deliveryMode, vector, level } = event.message;
      return {
        out: 'apic',
        dest: destination,
        dest_mode: Number(logical),
        delivery_mode: deliveryMode,
        vector,
        trigger_mode: Number(level),
      };
    }
    case 'msi':
      return { out: 'msi', addr: event.address, data: event.data };
    case 'intr':
      return { out: 'intr', level: event.level };
  }
}

function hexOf(frame: Uint8Array): string {
  return Array.from(frame.subarray(0, 40), (byte) => byte.toString(16).padStart(2, '0')).join('') || 'without content';
}
