import { SouthbridgeError } from '../../errors.js';
import { Type } from '../../schema/type.js';
import type { ClientMessage } from '../client-message.js';
import { RefusedFrame } from '../codec.js';
import type { Fields } from '../description.js';
import { CARRIED_ACK, checkVersion, isRequestName, messageNames, REQUESTS, typeOfRequest } from '../messages.js';
import { duplicateKey } from './duplicate-key.js';
import { CLOSED } from './schemas.js';
import { compileStrict, refusal, whenNeeded } from './validation.js';

const FORM = 'bad-message';

const NAMES: readonly string[] = messageNames(true);
const NAMES_OF_VERSION_1: readonly string[] = messageNames(false);

const VALIDATORS = validatorsOf(NAMES, true);
const VALIDATORS_OF_VERSION_1 = validatorsOf(NAMES_OF_VERSION_1, false);

function validatorsOf(names: readonly string[], hasSessions: boolean) {
  return new Map(
    names.map((type) => {
      const { schemas } = REQUESTS[type].description;
      const ack = hasSessions && isRequestName(type) ? CARRIED_ACK.schemas : {};
      const schema = () => Type.Object({ type: Type.Literal(type), ...schemas, ...ack }, CLOSED);
      return [type, whenNeeded(() => compileStrict(schema()))];
    }),
  );
}

/** Reads a text frame, of version 1.1 if `hasSessions`. Throws RefusedFrame. */
export function decodeClientFrame(text: string, hasSessions: boolean): ClientMessage {
  let fields: Fields | undefined;
  try {
    fields = parse(text);
    const message = clientMessage(checked(fields, hasSessions), fields);
    checkVersion(message, hasSessions);
    return message;
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

/** The type of a frame that its schema accepts. Throws `unknown-message-type`, or what the schema says. */
function checked(fields: Fields, hasSessions: boolean): string {
  const { type } = fields;
  if (typeof type !== 'string') throw new SouthbridgeError(FORM, { reason: 'the key type is missing' });
  const validators = hasSessions ? VALIDATORS : VALIDATORS_OF_VERSION_1;
  const validate = validators.get(type);
  if (!validate) {
    const allowed = [...validators.keys()].join(', ');
    throw new SouthbridgeError('unknown-message-type', { type: type.slice(0, 40), allowed });
  }
  if (!validate(fields)) throw refusal(validate.errors ?? [], FORM);
  return type;
}

function clientMessage(type: string, fields: Fields): ClientMessage {
  const message = REQUESTS[type].description.fromJson(fields, { type: typeOfRequest(type) });
  if (isRequestName(type)) CARRIED_ACK.fromJson(fields, message);
  return message as unknown as ClientMessage;
}
