import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { InProcessTarget } from '../../../src/lab/replay/in-process.js';
import type { ReplayMachine, StepOutcome } from '../../../src/lab/replay/target.js';
import type { Output, Step, Trace } from '../../../src/lab/replay/trace.js';
import type { ClientRequest } from '../../../src/protocol/client-message.js';
import { protoCodec } from '../../../src/protocol/protobuf/codec.js';
import type { IrqDetail, ServerMessage } from '../../../src/protocol/server-message.js';
import { PROTO_SUBPROTOCOL } from '../../../src/protocol/subprotocols.js';

/** How a service goes wrong. Each hook returns true if it took the matter over. */
export interface Faults {
  onRequest?(request: IncomingMessage, response: ServerResponse): boolean;
  /** `count` messages came on the socket before. */
  onMessage?(socket: WebSocket, message: ClientRequest, count: number): boolean;
}

/** As much of the service as a replay talks to, on the threads of this process, so that it can be made to fail. */
export class FakeService {
  /** Bodies of POST. */
  readonly created: { readonly [key: string]: unknown }[] = [];
  /** Machines that were not deleted. */
  readonly machines = new Map<string, ReplayMachine>();

  readonly #target = new InProcessTarget();
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => PROTO_SUBPROTOCOL });
  readonly #server = createServer((request, response) => this.#handle(request, response));

  constructor(readonly faults: Faults = {}) {
    this.#server.on('upgrade', (request, socket, head) => {
      const machine = this.machines.get(request.url?.split('/')[3] ?? '');
      if (!machine) return socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
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
    if (request.method === 'GET') {
      // Of a vCPU that could not be had: a client asks why.
      response.writeHead(404).end('{"error":{"code":"unknown-machine","message":"No."}}');
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
    const send = (message: ServerMessage) => socket.send(protoCodec.encode(message));
    send({ type: 'hello', version: 1, machine: 'm', vcpu: 0, clock: 'manual', sequence: 0, capabilities: [] });
    let count = 0;
    socket.on('message', async (data) => {
      const message = protoCodec.decode(data as Buffer, true) as ClientRequest;
      if (this.faults.onMessage?.(socket, message, count++)) return;
      if (message.type === 'subscribe') return send({ type: 'reply', id: message.id });
      const { value, outputs } = await machine.perform(stepOf(message));
      const { type } = message;
      if (type === 'line') send(event({ kind: 'line', gsi: message.gsi, level: message.level, source: 'external' }));
      for (const output of outputs) send(eventOf(output));
      send(answerOf(message, value));
    });
  }
}

function stepOf(message: ClientRequest): Step {
  switch (message.type) {
    case 'access': {
      const { write, address, size, low, high } = message.access;
      if (!write) return { op: 'read', address, size, value: undefined };
      return { op: 'write', address, size, value: (BigInt(high) << 32n) | BigInt(low) };
    }
    case 'step':
      return { op: 'clock_step', ns: message.ns };
    case 'line':
      return { op: 'set_irq', pin: message.gsi, level: message.level };
    case 'eoi':
      return { op: 'eoi', vector: message.vector };
    default:
      throw new Error(`a replay does not send ${message.type}`);
  }
}

function answerOf(message: ClientRequest, value: StepOutcome['value']): ServerMessage {
  const { id } = message;
  if (message.type !== 'access') return { type: 'reply', id };
  const { write, size } = message.access;
  if (value === undefined && !write) {
    return { type: 'error', id, code: 'address-unassigned', message: 'No device answers.', details: {} };
  }
  if (write) return { type: 'reply', id };
  const own = BigInt.asUintN(8 * size, value as bigint);
  return { type: 'reply', id, value: { low: Number(own & 0xffffffffn), high: Number(own >> 32n), size } };
}

function event(detail: IrqDetail): ServerMessage {
  return { type: 'irq', sequence: 1, cause: 'write', virtualTime: 0, wallTime: 0, event: detail };
}

function eventOf(output: Output): ServerMessage {
  switch (output.out) {
    case 'intr':
      return event({ kind: 'intr', level: output.level });
    case 'irq':
      return event({ kind: 'line', gsi: output.line, level: output.level, source: 'timer 0' });
    case 'apic': {
      const { dest, dest_mode, delivery_mode, vector, trigger_mode } = output;
      const level = trigger_mode === 1;
      const message = { vector, deliveryMode: delivery_mode, level, logical: dest_mode === 1, destination: dest };
      return event({ kind: 'apic', pin: 0, message });
    }
    case 'msi':
      return event({ kind: 'msi', timer: 0, address: output.addr, data: output.data });
  }
}
