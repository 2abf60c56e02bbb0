import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Access, ClientMessage } from '../client-message.js';
import type { ClientCodec } from '../codec.js';
import { ClientMessageSchema, type ClientMessage as ClientProto } from '../gen/southbridge/v1/client_pb.js';
import { DESTINATION_FORMATS, IRQ_KINDS } from '../names.js';
import { PROTO_SUBPROTOCOL } from '../subprotocols.js';
import { clientFrame } from './client-frames.js';
import { writeRecords } from './record.js';
import { readServerFrame } from './server-frame-reader.js';

/** Binary frames, as a client speaks them. */
export const protoClientCodec: ClientCodec = {
  subprotocol: PROTO_SUBPROTOCOL,
  encode: clientFrame,
  decode(frame) {
    if (typeof frame === 'string') throw new TypeError('the server sent a text frame, and this protocol is binary');
    return readServerFrame(frame);
  },
};

/** Any message as the library knows it. */
export function clientProto(message: ClientMessage): ClientProto {
  return create(ClientMessageSchema, { message: oneof(message) });
}

type OneOf = Extract<MessageInitShape<typeof ClientMessageSchema>, { $typeName?: never }>['message'];

function oneof(message: ClientMessage): OneOf {
  const { id } = message;
  switch (message.type) {
    case 'hello':
      return { case: 'hello', value: { id, version: message.version, capabilities: [...message.capabilities] } };
    case 'access':
      return accessOneof(id, message.access);
    case 'batch':
      return { case: 'batch', value: { id, accesses: writeRecords(message.accesses) } };
    case 'in':
      return { case: 'portIn', value: { id, port: message.port } };
    case 'out':
      return { case: 'portOut', value: { id, port: message.port, value: message.value } };
    case 'inta':
      return { case: 'interruptAcknowledge', value: { id } };
    case 'line':
      return { case: 'setLine', value: { id, gsi: message.gsi, level: message.level === 1 } };
    case 'eoi':
      return { case: 'endOfInterrupt', value: { id, vector: message.vector } };
    case 'apic': {
      const format = DESTINATION_FORMATS.indexOf(message.format) + 1;
      return { case: 'setApic', value: { id, logicalId: message.logicalId, format } };
    }
    case 'step':
      return { case: 'clockStep', value: { id, ns: BigInt(message.ns) } };
    case 'sync':
      return { case: 'sync', value: { id } };
    case 'subscribe':
      return { case: 'subscribe', value: { id, kinds: message.kinds.map((kind) => IRQ_KINDS.indexOf(kind) + 1) } };
  }
}

function accessOneof(id: number, { write, posted, address, size, low, high }: Access): OneOf {
  const common = { id, size, address: address % 2 ** 32, addressHigh: Math.floor(address / 2 ** 32) };
  if (!write) return { case: 'read', value: common };
  return { case: 'write', value: { ...common, valueLow: low, valueHigh: high, posted } };
}
