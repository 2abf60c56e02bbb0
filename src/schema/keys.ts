import type { TSchema } from './type.js';

/** The parts of JSON Schema that the schemas of this project use. */
export interface SchemaNode {
  readonly type?: string;
  readonly const?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: { readonly [key: string]: SchemaNode };
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
}

/** A TypeBox schema as plain JSON Schema. */
export function schemaNode(schema: TSchema): SchemaNode {
  return schema as unknown as SchemaNode;
}

/** Keys on the way to a value; numbers are indices of a list. */
export type KeyPath = readonly (string | number)[];

/** `machines.0.hpet.timers` */
export function pathName(path: KeyPath): string {
  return path.join('.');
}

/** A key path as a user types it; parts of digits only are indices. */
export function parsePath(name: string): KeyPath {
  return name.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** The schema of the value at a path, or undefined if the path leads nowhere. */
export function schemaAt(schema: SchemaNode, path: KeyPath): SchemaNode | undefined {
  let here: SchemaNode | undefined = schema;
  for (const part of path) {
    const objects: SchemaNode = here.anyOf?.find((choice) => choice.properties) ?? here;
    if (typeof part === 'number') here = objects.items;
    else here = Object.hasOwn(objects.properties ?? {}, part) ? objects.properties?.[part] : undefined;
    if (!here) return undefined;
  }
  return here;
}

export interface Key {
  readonly path: KeyPath;
  readonly schema: SchemaNode;
}

/** All keys that hold a value which is no object, in the order of the schema. Lists count as one value. */
export function leafKeys(schema: SchemaNode, path: KeyPath = []): Key[] {
  if (!schema.properties) return [{ path, schema }];
  return Object.entries(schema.properties).flatMap(([key, child]) => leafKeys(child, [...path, key]));
}

/** What a schema allows, in words that fit after "it must be". */
export function expectation(schema: SchemaNode): string {
  if (schema.anyOf) return schema.anyOf.map(expectation).join(', or ');
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  if ('const' in schema) return JSON.stringify(schema.const);
  switch (schema.type) {
    case 'number':
      return `a number${range(schema)}`;
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list, each part ${schema.items ? expectation(schema.items) : 'of any kind'}`;
    case 'object':
      return `an object with the keys ${Object.keys(schema.properties ?? {}).join(', ')}`;
    case 'string':
      return stringExpectation(schema);
    default:
      return 'as its schema says';
  }
}

function range({ minimum, maximum }: SchemaNode): string {
  if (minimum === undefined) return maximum === undefined ? '' : ` up to ${maximum}`;
  return maximum === undefined ? ` from ${minimum} on` : ` from ${minimum} to ${maximum}`;
}

function stringExpectation({ pattern, minLength, examples, default: fallback }: SchemaNode): string {
  if (pattern === undefined) return minLength ? 'a string that is not empty' : 'a string';
  const example = examples?.[0] ?? fallback;
  return `a string ${example === undefined ? '' : `such as ${JSON.stringify(example)}, `}of the form \`${pattern}\``;
}

/** The known name that was probably meant, if there is one within two slips of the pen. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.min(2, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    const distance = slips(name.toLowerCase(), candidate.toLowerCase());
    if (distance >= fewest) continue;
    fewest = distance;
    best = candidate;
  }
  return best;
}

/** Levenshtein's distance. */
function slips(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(exchanged, previous[j] + 1, row[j - 1] + 1));
    }
    previous = row;
  }
  return previous[b.length];
}
