import type { Type as Library } from 'typebox';

export type { Static, TProperties, TSchema } from 'typebox';

const optional = Symbol('optional');

interface Schema {
  readonly [optional]?: true;
  readonly [keyword: string]: unknown;
}

type Options = Readonly<Record<string, unknown>>;

const of = (type: string, options?: Options): Schema => ({ type, ...options });

/**
 * TypeBox's makers of JSON Schemas, as far as they are needed here, with its types: what a schema says is what the compiler
 * knows. Its own run time also evaluates types, which is 373 modules, and a third of the time in which a server starts.
 */
const makers = {
  Array: (items: Schema, options?: Options) => of('array', { items, ...options }),
  Boolean: (options?: Options) => of('boolean', options),
  Enum: (values: readonly unknown[], options?: Options) => ({ enum: values, ...options }),
  Integer: (options?: Options) => of('integer', options),
  Literal: (value: unknown, options?: Options) => of(typeof value, { const: value, ...options }),
  Null: (options?: Options) => of('null', options),
  Number: (options?: Options) => of('number', options),
  Object: (properties: Readonly<Record<string, Schema>>, options?: Options) => {
    const required = Object.keys(properties).filter((key) => !properties[key][optional]);
    return of('object', { ...(required.length > 0 && { required }), properties, ...options });
  },
  Optional: (schema: Schema) => Object.defineProperty({ ...schema }, optional, { value: true }),
  Record: (_keys: Schema, values: Schema, options?: Options) =>
    of('object', { patternProperties: { '^.*$': values }, ...options }),
  String: (options?: Options) => of('string', options),
  Union: (anyOf: readonly Schema[], options?: Options) => ({ anyOf, ...options }),
};

export const Type = makers as unknown as Pick<typeof Library, keyof typeof makers>;
