import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { SouthbridgeError } from '../../errors.js';
import { expectation, schemaNode } from '../../schema/keys.js';
import { relevant } from '../../schema/validate.js';
import { CODE_KEYWORD } from './schemas.js';

type ValueCode = 'bad-address' | 'bad-size' | 'bad-gsi' | 'bad-vector';

const OPTIONS = {
  strict: true,
  validateSchema: false,
  allowUnionTypes: true,
  verbose: true,
  useDefaults: true,
  removeAdditional: false,
};

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

/** A validator that is made by its first use. */
export function whenNeeded(compile: () => ValidateFunction): {
  (data: unknown): boolean;
  errors?: ValidateFunction['errors'];
} {
  let compiled: ValidateFunction | undefined;
  const validate: ReturnType<typeof whenNeeded> = (data) => {
    compiled ??= compile();
    const isValid = compiled(data);
    validate.errors = compiled.errors;
    return isValid;
  };
  return validate;
}

/** The coded error for what validation found. `form` is the code for what has no better one. */
export function refusal(errors: readonly ErrorObject[], form: 'invalid-body' | 'bad-message'): SouthbridgeError {
  const unknown = errors.map(unknownKey).find((error) => error !== undefined);
  if (unknown) return unknown;
  const [error] = relevant(errors);
  const code = error.parentSchema?.[CODE_KEYWORD] as ValueCode | undefined;
  if (code) return new SouthbridgeError(code, { [code.slice('bad-'.length)]: shown(error.data) } as never);
  const key = keyOf(error.instancePath);
  if (error.keyword === 'required') {
    return new SouthbridgeError(form, { reason: `the key ${join(key, error.params.missingProperty)} is missing` });
  }
  if (key === '') return new SouthbridgeError(form, { reason: `it ${error.message}` });
  return new SouthbridgeError('bad-value', { key, expected: expectation(schemaNode(error.parentSchema ?? {})) });
}

/** A key that is missing may be there under a wrong name, which says more. */
function unknownKey({ keyword, params, parentSchema, instancePath, data }: ErrorObject): SouthbridgeError | undefined {
  const allowed = Object.keys(parentSchema?.properties ?? {});
  let key: string | undefined;
  if (keyword === 'additionalProperties') key = params.additionalProperty;
  if (keyword === 'required') key = Object.keys(data as object).find((each) => !allowed.includes(each));
  if (key === undefined) return undefined;
  return new SouthbridgeError('unknown-key', {
    key: join(keyOf(instancePath), key.slice(0, 80)),
    allowed: allowed.join(', ') || 'none',
  });
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

function shown(value: unknown): string | number {
  return typeof value === 'number' ? value : typeof value === 'string' ? value.slice(0, 80) : printed(value);
}
