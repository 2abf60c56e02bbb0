import { type Static, type TSchema, Type } from '../../schema/type.js';
import { DESTINATION_FORMATS, IRQ_KINDS } from '../names.js';
import { DECIMAL_PATTERN, HEX_PATTERN } from '../values.js';
import { CODE_KEYWORD, compileStrict, whenNeeded } from './validation.js';

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

/** A read, or a write if there is a value; `type` says which. */
export const AccessSchema = Type.Object(
  { type: Type.Enum(['read', 'write']), address: Address, size: Size, value: Type.Optional(Value) },
  CLOSED,
);

/** In a frame, a write may be posted. */
const BatchAccess = Type.Object({ ...AccessSchema.properties, posted: Type.Optional(Type.Boolean()) }, CLOSED);

const Id = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Comes back with the reply.' });
const Vector = Type.Integer({ minimum: 0, maximum: 255, [CODE_KEYWORD]: 'bad-vector' });
const Port = Type.String({ pattern: '^0x[0-9a-fA-F]{1,4}$', description: 'An I/O port.', examples: ['0x21'] });
const Byte = Type.String({ pattern: '^0x[0-9a-fA-F]{1,2}$', description: 'A value of one byte.' });

function message<T extends string, P extends Record<string, TSchema>>(type: T, properties: P) {
  return Type.Object({ type: Type.Literal(type), id: Id, ...properties }, CLOSED);
}

/** What a vCPU sends, by `type`. */
export const VCPU_MESSAGES = {
  hello: message('hello', {
    version: Type.Integer({ minimum: 1, maximum: 0xffffffff }),
    capabilities: Type.Array(Type.String()),
  }),
  read: message('read', { address: Address, size: Size }),
  write: message('write', { address: Address, size: Size, value: Value, posted: Type.Optional(Type.Boolean()) }),
  batch: message('batch', { accesses: Type.Array(BatchAccess) }),
  in: message('in', { port: Port }),
  out: message('out', { port: Port, value: Byte }),
  inta: message('inta', {}),
  line: message('line', { gsi: Gsi, level: Level }),
  eoi: message('eoi', { vector: Vector }),
  apic: message('apic', {
    logicalId: Type.Integer({ minimum: 0, maximum: 255 }),
    format: Type.Enum([...DESTINATION_FORMATS]),
  }),
  step: message('step', { ns: Nanoseconds }),
  sync: message('sync', {}),
  subscribe: message('subscribe', { kinds: Type.Array(Type.Enum([...IRQ_KINDS]), { uniqueItems: true }) }),
};

type Messages = typeof VCPU_MESSAGES;
export type VcpuMessageType = keyof Messages;
export const VCPU_MESSAGE_TYPES = Object.keys(VCPU_MESSAGES) as VcpuMessageType[];

/** A message that its schema accepted. */
export type VcpuMessage = { [T in VcpuMessageType]: Static<Messages[T]> }[VcpuMessageType];

const validators = new Map(
  VCPU_MESSAGE_TYPES.map((type) => [type as string, whenNeeded(() => compileStrict(VCPU_MESSAGES[type]))]),
);

/** The validator for messages of a type, if there is such a type. */
export function validatorOf(type: string) {
  return validators.get(type);
}
