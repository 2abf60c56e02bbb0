import { SouthbridgeError } from '../../errors.js';
import type { ClientMessage } from '../client-message.js';
import { RefusedFrame } from '../codec.js';
import { parseAccess } from './access.js';
import { duplicateKey } from './duplicate-key.js';
import { VCPU_MESSAGE_TYPES, type VcpuMessage, validatorOf } from './schemas.js';
import { refusal } from './validation.js';

const FORM = 'bad-message';

/** A frame that is JSON, whatever else it is. */
type Fields = { readonly [key: string]: unknown };

/** Reads a text frame. Throws RefusedFrame. */
export function decodeClientFrame(text: string): ClientMessage {
  let fields: Fields | undefined;
  try {
    fields = parse(text);
    return clientMessage(checked(fields));
  } catch (error) {
    throw new RefusedFrame(fields && idOf(fields), error);
  }
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SouthbridgeError(FORM, { reason: `it is not JSON: ${(error as Error).message}` });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SouthbridgeError(FORM, { reason: 'it is not an object' });
  }
  const key = duplicateKey(text);
  if (key !== undefined) throw new SouthbridgeError('duplicate-key', { key: key.slice(0, 80) });
  return value as Fields;
}

/** The id of a frame that is otherwise refused, so that its sender knows which. */
function idOf({ id }: Fields): number | undefined {
  return Number.isSafeInteger(id) ? (id as number) : undefined;
}

/** Throws `unknown-message-type`, or what its schema says. */
function checked(fields: Fields): VcpuMessage {
  const { type } = fields;
  if (typeof type !== 'string') throw new SouthbridgeError(FORM, { reason: 'the key type is missing' });
  const validate = validatorOf(type);
  if (!validate) {
    throw new SouthbridgeError('unknown-message-type', {
      type: type.slice(0, 40),
      allowed: VCPU_MESSAGE_TYPES.join(', '),
    });
  }
  if (!validate(fields)) throw refusal(validate.errors ?? [], FORM);
  return fields as unknown as VcpuMessage;
}

/** Turns strings into numbers. */
function clientMessage(message: VcpuMessage): ClientMessage {
  const { id } = message;
  switch (message.type) {
    case 'read':
    case 'write': {
      const { id: _, ...request } = message;
      return { type: 'access', id, access: parseAccess(request) };
    }
    case 'batch':
      return { type: 'batch', id, accesses: message.accesses.map(parseAccess) };
    case 'in':
      return { type: 'in', id, port: Number(message.port) };
    case 'out':
      return { type: 'out', id, port: Number(message.port), value: Number(message.value) };
    case 'step':
      return { type: 'step', id, ns: Number(message.ns) };
    default:
      return message;
  }
}
