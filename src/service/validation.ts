import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type ErrorCode, SouthbridgeError } from '../errors.js';

/**
 * Names the code of the error for a value that its schema refuses, where there is one of its own: `bad-address`,
 * `bad-size`, `bad-gsi` or `bad-vector`.
 */
export const CODE_KEYWORD = 'x-error-code';

type ValueCode = 'bad-address' | 'bad-size' | 'bad-gsi' | 'bad-vector';

const OPTIONS = { strict: true, allowUnionTypes: true, verbose: true, useDefaults: true, removeAdditional: false };

function create(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ ...OPTIONS, coerceTypes });
  ajv.addKeyword(CODE_KEYWORD);
  return ajv;
}

/** Bodies and frames: nothing is coerced. */
const strict = create(false);
/** Parts of a URL are strings, and become what the schema says. */
const coercing = create(true);

export function compileStrict<T = unknown>(schema: object): ValidateFunction<T> {
  return strict.compile<T>(schema);
}

export function compileCoercing(schema: object): ValidateFunction {
  return coercing.compile(schema);
}

/** The coded error for what validation found. `form` is the code for what has no better one. */
export function refusal(errors: readonly ErrorObject[], form: 'invalid-body' | 'bad-message'): SouthbridgeError {
  const unknown = errors.find(({ keyword }) => keyword === 'additionalProperties');
  if (unknown) return unknownKey(unknown);
  // Of a choice the branches come first and the choice itself last.
  const error = errors.find(({ keyword }) => keyword === 'anyOf') ?? errors[0];
  const code = error.parentSchema?.[CODE_KEYWORD] as ValueCode | undefined;
  if (code) return new SouthbridgeError(code, { [code.slice('bad-'.length)]: printed(error.data) } as never);
  const key = keyOf(error.instancePath);
  if (error.keyword === 'required') {
    return new SouthbridgeError(form, { reason: `the key ${join(key, error.params.missingProperty)} is missing` });
  }
  if (key === '') return new SouthbridgeError(form, { reason: `it ${error.message}` });
  return new SouthbridgeError('bad-value', { key, expected: expectationOf(error) });
}

function unknownKey(error: ErrorObject): SouthbridgeError {
  const allowed = Object.keys(error.parentSchema?.properties ?? {});
  return new SouthbridgeError('unknown-key', {
    key: join(keyOf(error.instancePath), error.params.additionalProperty),
    allowed: allowed.join(', ') || 'none',
  });
}

function expectationOf(error: ErrorObject): string {
  switch (error.keyword) {
    case 'type':
      return [error.params.type].flat().join(' or ');
    case 'enum':
      return `one of ${error.params.allowedValues.map(printed).join(', ')}`;
    case 'const':
      return printed(error.params.allowedValue);
    case 'anyOf':
      return String(error.parentSchema?.description ?? 'one of the forms that /docs gives');
    default:
      return String(error.message).replace(/^must (be )?/, '');
  }
}

function keyOf(path: string): string {
  return path.slice(1).replaceAll('/', '.');
}

function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

function printed(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Turns anything thrown into a coded error; what is not coded is a fault of the server. */
export function coded(error: unknown, request: string): SouthbridgeError<ErrorCode> {
  return error instanceof SouthbridgeError ? error : new SouthbridgeError('internal', { request });
}
