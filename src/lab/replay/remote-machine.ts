import type { WebSocket } from 'ws';
import { outputOfEvent } from './remote-events.js';
import { type Outcome, type ReplayMachine, TargetLost } from './target.js';
import type { Output, Step } from './trace.js';

/** For the answer to a close frame. */
const CLOSE_MS = 2_000;

interface Pending {
  readonly id: number;
  resolve(outcome: Outcome): void;
  reject(error: TargetLost): void;
}

/** Whatever a server may send: `docs/protocol.md`. */
interface Message {
  readonly type?: string;
  readonly id?: number;
  readonly value?: string;
  /** Of the reply to an acknowledge cycle. */
  readonly vector?: number;
  readonly code?: string;
  readonly message?: string;
  readonly version?: number;
  readonly clock?: string;
}

/**
 * A machine behind a vCPU socket. Requests are pipelined; as answers come in order, and after all that a request caused,
 * what arrives between two answers belongs to the second.
 */
export class RemoteMachine implements ReplayMachine {
  readonly #pending: Pending[] = [];
  #id = 0;
  #outputs: Output[] = [];
  #lost: TargetLost | undefined;

  /** `socket` is open and paused. */
  constructor(
    readonly socket: WebSocket,
    readonly remove: () => Promise<void>,
  ) {
    socket.on('message', (data) => this.#receive(`${data}`));
    socket.on('error', (error) => this.#lose(`the socket failed: ${error.message}`));
    socket.on('close', (code, reason) =>
      this.#lose(`the server closed the socket with ${code}${reason.length ? ` (${reason})` : ''}`),
    );
    socket.resume();
  }

  /** Asks for everything that the machine puts out. Rejects with TargetLost. */
  async subscribe(): Promise<void> {
    const { refused } = await this.#request({ type: 'subscribe', kinds: ['line', 'apic', 'msi', 'intr'] });
    if (refused !== undefined) throw this.#lose(`the server refused to subscribe: ${refused}`);
  }

  perform(step: Step): Promise<Outcome> {
    switch (step.op) {
      case 'read':
        return this.#request({ type: 'read', address: hex(step.address), size: step.size });
      case 'write':
        return this.#request({
          type: 'write',
          address: hex(step.address),
          size: step.size,
          value: hex(step.value),
          posted: false,
        });
      case 'clock_step':
        return this.#request({ type: 'step', ns: `${step.ns}` });
      case 'set_irq':
        return this.#request({ type: 'line', gsi: step.pin, level: step.level });
      case 'eoi':
        return this.#request({ type: 'eoi', vector: step.vector });
      case 'in':
        return this.#request({ type: 'in', port: hex(step.port) });
      case 'out':
        return this.#request({ type: 'out', port: hex(step.port), value: hex(step.value) });
      case 'inta':
        return this.#request({ type: 'inta' });
    }
  }

  async close(): Promise<void> {
    const lost = this.#lost;
    this.#lost ??= new TargetLost('the machine is closed');
    await closeSocket(this.socket);
    if (lost) await this.remove().catch(() => {});
    else await this.remove();
  }

  #request(message: object): Promise<Outcome> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#pending.push({ id, resolve, reject });
      this.socket.send(JSON.stringify({ ...message, id }));
    });
  }

  #receive(text: string): void {
    if (this.#lost) return;
    try {
      this.#take(JSON.parse(text));
    } catch (error) {
      this.#lose(`the server sent ${text.slice(0, 200)}: ${(error as Error).message}`);
    }
  }

  /** Throws on what the protocol does not know. */
  #take(message: Message): void {
    switch (message.type) {
      case 'reply':
        this.#answer(message.id, { value: readValueOf(message) });
        break;
      case 'error': {
        // Where no device answers, a bus reads 0, and that is no refusal.
        const refused = message.code === 'address-unassigned' ? undefined : `${message.code}: ${message.message}`;
        this.#answer(message.id, { value: undefined, refused });
        break;
      }
      case 'irq': {
        const output = outputOfEvent(message);
        if (output) this.#outputs.push(output);
        break;
      }
      case 'interrupt':
      case 'intr':
        // Comes beside the event of the IRQ stream.
        break;
      case 'hello':
        if (message.version !== 1 || message.clock !== 'manual') throw new Error('not version 1 with a manual clock');
        break;
      default:
        throw new Error('not a message of this protocol');
    }
  }

  #answer(id: number | undefined, outcome: Omit<Outcome, 'outputs'>): void {
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

function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const impatience = setTimeout(() => socket.terminate(), CLOSE_MS);
    socket.once('close', () => {
      clearTimeout(impatience);
      resolve();
    });
    socket.close(1000);
  });
}

/** The value that a reply has, of a read or of an acknowledge cycle. */
function readValueOf({ value, vector }: Message): bigint | undefined {
  const read = value ?? vector;
  return read === undefined ? undefined : BigInt(read);
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
