import type { Access, ClientMessage } from '../client-message.js';
import type { ClientCodec } from '../codec.js';
import { JSON_SUBPROTOCOL } from '../subprotocols.js';
import { formatAddress, formatValue } from '../values.js';
import { serverMessage } from './server-message.js';

/** Text frames, as a client speaks them. */
export const jsonClientCodec: ClientCodec = {
  subprotocol: JSON_SUBPROTOCOL,
  encode: (message) => JSON.stringify(clientFields(message)),
  decode: (frame) => serverMessage(JSON.parse(typeof frame === 'string' ? frame : new TextDecoder().decode(frame))),
};

function clientFields(message: ClientMessage): object {
  const { id } = message;
  switch (message.type) {
    case 'access': {
      const { type, ...rest } = accessFields(message.access);
      return { type, id, ...rest };
    }
    case 'batch':
      return { ...message, accesses: message.accesses.map(accessFields) };
    case 'in':
      return { ...message, port: `0x${message.port.toString(16)}` };
    case 'out':
      return { ...message, port: `0x${message.port.toString(16)}`, value: formatValue(message.value, 0, 1) };
    case 'step':
      return { ...message, ns: String(message.ns) };
    default:
      return message;
  }
}

function accessFields({ write, posted, address, size, low, high }: Access) {
  const common = { type: write ? 'write' : 'read', address: formatAddress(address), size };
  if (!write) return common;
  // A value that is too wide for its size is for the server to refuse.
  const value = formatValue(low, high, high === 0 ? 4 : 8);
  return posted ? { ...common, value, posted } : { ...common, value };
}
