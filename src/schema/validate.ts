import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { expectation, type KeyPath, nearest, type SchemaNode, schemaAt, schemaNode } from './keys.js';
import type { TSchema } from './type.js';

/** What is wrong at one place. */
export type Fault =
  | { readonly kind: 'unknown-key'; readonly path: KeyPath; readonly known: readonly string[]; readonly hint: string }
  | { readonly kind: 'missing-key'; readonly path: KeyPath; readonly expected: string }
  | { readonly kind: 'wrong-type'; readonly path: KeyPath; readonly expected: string }
  | { readonly kind: 'not-allowed'; readonly path: KeyPath; readonly value: unknown; readonly expected: string };

/**
 * Checks values against one schema as this server does everywhere: nothing is dropped and nothing coerced; only
 * defaults are filled in, in place.
 */
export class Validator {
  readonly #schema: SchemaNode;
  readonly #validate: ValidateFunction;

  constructor(schema: TSchema) {
    this.#schema = schemaNode(schema);
    const ajv = new Ajv({
      allErrors: true,
      useDefaults: true,
      verbose: true,
      strict: true,
      validateSchema: false,
      code: { optimize: false },
    });
    this.#validate = ajv.compile(schema);
  }

  /** Fills in defaults, makes each −0 a 0, and returns what is wrong, at most one fault per place. */
  check(value: unknown): Fault[] {
    dropNegativeZeros(value);
    if (this.#validate(value)) return [];
    return explain(this.#schema, this.#validate.errors ?? []);
  }
}

/** Makes each −0 inside an object or array a 0, in place: JSON and YAML can write −0, and no key here has a sign at 0. */
export function dropNegativeZeros(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members)) {
    if (members[key] === 0) members[key] = 0;
    else dropNegativeZeros(members[key]);
  }
}

/** Turns ajv's errors (made with `verbose`) into faults that name the key and what is allowed there. */
export function explain(schema: SchemaNode, errors: readonly ErrorObject[]): Fault[] {
  const faults = new Map<string, Fault>();
  for (const error of relevant(errors)) {
    const fault = faultOf(schema, error);
    const place = JSON.stringify(fault.path);
    if (!faults.has(place)) faults.set(place, fault);
  }
  return [...faults.values()];
}

/** Errors without those of forms of a choice that were not meant. */
export function relevant(errors: readonly ErrorObject[]): ErrorObject[] {
  return errors.filter((error) => !isOfOtherChoice(error, errors));
}

function faultOf(schema: SchemaNode, error: ErrorObject): Fault {
  const path = pathOf(error.instancePath);
  const here = schemaAt(schema, path) ?? {};
  const object = here.anyOf?.find((choice) => choice.properties) ?? here;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty);
      const known = Object.keys(object.properties ?? {});
      const meant = nearest(key, known);
      return { kind: 'unknown-key', path: [...path, key], known, hint: meant ? ` (did you mean ${meant}?)` : '' };
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      return { kind: 'missing-key', path: [...path, key], expected: expectation(object.properties?.[key] ?? {}) };
    }
    case 'type':
      return { kind: 'wrong-type', path, expected: expectation(here) };
    case 'anyOf':
      return { kind: isTypeOfAny(error.data, here) ? 'not-allowed' : 'wrong-type', path, ...judged(error.data, here) };
    case 'enum':
      return { kind: typeof error.data === 'string' ? 'not-allowed' : 'wrong-type', path, ...judged(error.data, here) };
    default:
      return { kind: 'not-allowed', path, ...judged(error.data, here) };
  }
}

function judged(value: unknown, here: SchemaNode): { value: unknown; expected: string } {
  return { value, expected: expectation(here) };
}

function isTypeOfAny(value: unknown, here: SchemaNode): boolean {
  return here.anyOf?.some((choice) => choice.enum?.some((allowed) => typeof allowed === typeof value)) ?? false;
}

/**
 * A choice fails with the errors of all its forms, and one of its own. For an object only those of the object form
 * help; for anything else only the choice's own, which lists all forms.
 */
function isOfOtherChoice(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  if (error.keyword === 'anyOf') {
    const inside = `${error.schemaPath}/`;
    const isObject = typeof error.data === 'object' && error.data !== null && !Array.isArray(error.data);
    return isObject && all.some((other) => other.schemaPath.startsWith(inside) && !isWholeForm(other, inside));
  }
  return all.some((other) => {
    if (other.keyword !== 'anyOf' || !error.schemaPath.startsWith(`${other.schemaPath}/`)) return false;
    if (!error.instancePath.startsWith(other.instancePath)) return false;
    return !isOfOtherChoice(other, all) || isWholeForm(error, `${other.schemaPath}/`);
  });
}

/** Whether an error says that the value as a whole has not the form, as in `…/anyOf/0/enum`. */
function isWholeForm(error: ErrorObject, inside: string): boolean {
  return /^\d+\/(type|enum)$/.test(error.schemaPath.slice(inside.length));
}

function pathOf(pointer: string): KeyPath {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
