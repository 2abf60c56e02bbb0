import { SouthbridgeError } from '../errors.js';
import { duplicateKey } from './duplicate-key.js';
import { VCPU_MESSAGE_TYPES, type VcpuMessage, validatorOf } from './messages.js';
import { refusal } from './validation.js';

const FORM = 'bad-message';

/** A frame that is JSON, whatever else it is. */
export type Frame = { readonly [key: string]: unknown };

/** Reads a text frame. Throws `bad-message`. */
export function parseFrame(text: string): Frame {
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
  return value as Frame;
}

/** The id of a frame that is otherwise refused, so that its sender knows which. */
export function idOf(frame: Frame): number | undefined {
  return Number.isSafeInteger(frame.id) ? (frame.id as number) : undefined;
}

/** Checks a frame. Throws `unknown-message-type`, or what its schema says. */
export function vcpuMessage(frame: Frame): VcpuMessage {
  const { type } = frame;
  if (typeof type !== 'string') throw new SouthbridgeError(FORM, { reason: 'the key type is missing' });
  const validate = validatorOf(type);
  if (!validate) {
    throw new SouthbridgeError('unknown-message-type', {
      type: type.slice(0, 40),
      allowed: VCPU_MESSAGE_TYPES.join(', '),
    });
  }
  if (!validate(frame)) throw refusal(validate.errors ?? [], FORM);
  return frame as unknown as VcpuMessage;
}
