import { Type } from '../../schema/type.js';
import { DECIMAL_PATTERN, HEX_PATTERN } from '../values.js';

/**
 * Names the code of the error for a value that its schema refuses, where there is one of its own: `bad-address`,
 * `bad-size`, `bad-gsi` or `bad-vector`.
 */
export const CODE_KEYWORD = 'x-error-code';

/** Schemas of what clients send, on sockets and as HTTP bodies alike. Unknown keys are refused. */
export const CLOSED = { additionalProperties: false } as const;

export const Address = Type.String({
  pattern: HEX_PATTERN,
  description: 'A physical address.',
  examples: ['0xfed000f0'],
  [CODE_KEYWORD]: 'bad-address',
});

export const Size = Type.Integer({
  enum: [1, 2, 4, 8],
  description: 'Width of an access in bytes.',
  [CODE_KEYWORD]: 'bad-size',
});

export const Value = Type.String({ pattern: HEX_PATTERN, description: 'A register value.', examples: ['0x1'] });

export const Gsi = Type.Integer({
  minimum: 0,
  maximum: 23,
  description: 'A global system interrupt.',
  [CODE_KEYWORD]: 'bad-gsi',
});

export const Level = Type.Enum([0, 1], { description: 'Level of a line.' });

export const Nanoseconds = Type.String({
  pattern: DECIMAL_PATTERN,
  description: 'Nanoseconds.',
  examples: ['1000000'],
});

/** Of an event or a request, exact. */
export const Count = Type.String({ pattern: '^[0-9]{1,16}$', description: 'A number.', examples: ['41'] });

/** Of a session: chosen by its client. */
export const SessionName = Type.String({ minLength: 1, maxLength: 64 });

/** A read, or a write if there is a value; `type` says which. */
export const AccessSchema = Type.Object(
  { type: Type.Enum(['read', 'write']), address: Address, size: Size, value: Type.Optional(Value) },
  CLOSED,
);

/** In a frame, a write may be posted. */
export const BatchAccess = Type.Object({ ...AccessSchema.properties, posted: Type.Optional(Type.Boolean()) }, CLOSED);

export const Id = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Comes back with the reply.',
});
export const Vector = Type.Integer({ minimum: 0, maximum: 255, [CODE_KEYWORD]: 'bad-vector' });
export const Port = Type.String({ pattern: '^0x[0-9a-fA-F]{1,4}$', description: 'An I/O port.', examples: ['0x21'] });
export const Byte = Type.String({ pattern: '^0x[0-9a-fA-F]{1,2}$', description: 'A value of one byte.' });
