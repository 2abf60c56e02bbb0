import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import type { Outcome, ReplayMachine } from '../../../src/lab/replay/target.js';
import type { Output, Step, Trace } from '../../../src/lab/replay/trace.js';

/** How a service goes wrong. Each hook returns true if it took the matter over. */
export interface Faults {
  onRequest?(request: IncomingMessage, response: ServerResponse): boolean;
  /** `count` messages came on the socket before. */
  onMessage?(socket: WebSocket, message: Message, count: number): boolean;
}

export interface Message {
  readonly type: string;
  readonly id: number;
  readonly address: string;
  readonly size: number;
  readonly value: string;
  readonly ns: string;
  readonly gsi: number;
  readonly level: number;
  readonly vector: number;
}

const DELIVERY_MODES = ['fixed', 'lowest-priority', 'smi', 'reserved-3', 'nmi', 'init', 'reserved-6', 'extint'];

/** As much of the service as a replay talks to, on the threads of this process, so that it can be made to fail. */
export class FakeService {
  /** Bodies of POST. */
  readonly created: { readonly [key: string]: unknown }[] = [];
  /** Machines that were not deleted. */
  readonly machines = new Map<string, ReplayMachine>();

  readonly #target = new InProcessTarget();
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #server = createServer((request, response) => this.#handle(request, response));

  constructor(readonly faults: Faults = {}) {
    this.#server.on('upgrade', (request, socket, head) => {
      const machine = this.machines.get(request.url?.split('/')[3] ?? '');
      if (!machine)
        return socket.end(
          'HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n{"error":{"code":"unknown-machine","message":"No."}}',
        );
      this.#sockets.handleUpgrade(request, socket, head, (connection) => this.#connected(connection, machine));
    });
  }

  async listen(): Promise<URL> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    await this.#target.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.faults.onRequest?.(request, response)) return;
    if (request.method === 'DELETE') {
      const found = this.machines.delete(request.url?.split('/')[3] ?? '');
      response.writeHead(found ? 204 : 404).end();
      return;
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text);
    this.created.push(body);
    const { hpet, ioapic, locking } = body;
    const trace = {
      hpet: { ...hpet, routingCapability: Number(hpet.routingCapability) },
      ioapicVersion: Number(ioapic.version),
    };
    this.machines.set(body.name, await this.#target.open(trace as Trace, { locking, profile: hpet.profile }));
    response.writeHead(201).end();
  }

  #connected(socket: WebSocket, machine: ReplayMachine): void {
    const send = (message: object) => socket.send(JSON.stringify(message));
    send({ type: 'hello', version: 1, clock: 'manual' });
    let count = 0;
    socket.on('message', async (data) => {
      const message: Message = JSON.parse(`${data}`);
      if (this.faults.onMessage?.(socket, message, count++)) return;
      if (message.type === 'subscribe') return send({ type: 'reply', id: message.id });
      const { value, outputs } = await machine.perform(stepOf(message));
      if (message.type === 'line')
        send({ type: 'irq', kind: 'line', gsi: message.gsi, level: message.level, source: 'external' });
      for (const output of outputs) send(eventOf(output));
      send(answerOf(message, value));
    });
  }
}

function stepOf(message: Message): Step {
  const { type, size, gsi, level, vector } = message;
  const address = Number(message.address);
  switch (type) {
    case 'read':
      return { op: 'read', address, size, value: undefined };
    case 'write':
      return { op: 'write', address, size, value: BigInt(message.value) };
    case 'step':
      return { op: 'clock_step', ns: Number(message.ns) };
    case 'line':
      return { op: 'set_irq', pin: gsi, level };
    default:
      return { op: 'eoi', vector };
  }
}

function answerOf({ type, id, size }: Message, value: Outcome['value']): object {
  if (value === undefined) return { type: 'error', id, code: 'address-unassigned', message: 'No device answers.' };
  if (type !== 'read') return { type: 'reply', id };
  return {
    type: 'reply',
    id,
    value: `0x${BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, '0')}`,
  };
}

function eventOf(output: Output): object {
  switch (output.out) {
    case 'intr':
      return { type: 'irq', kind: 'intr', level: output.level };
    case 'irq':
      return { type: 'irq', kind: 'line', gsi: output.line, level: output.level, source: 'timer 0' };
    case 'apic':
      return {
        type: 'irq',
        kind: 'apic',
        destination: output.dest,
        destinationMode: ['physical', 'logical'][output.dest_mode],
        deliveryMode: DELIVERY_MODES[output.delivery_mode],
        vector: output.vector,
        triggerMode: ['edge', 'level'][output.trigger_mode],
      };
    case 'msi':
      return {
        type: 'irq',
        kind: 'msi',
        address: `0x${output.addr.toString(16).padStart(8, '0')}`,
        data: `0x${output.data.toString(16).padStart(8, '0')}`,
      };
  }
}
