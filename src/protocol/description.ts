import type { TSchema } from '../schema/type.js';
import { fieldsOf, type Wire } from './protobuf/table.js';
import { formatAddress } from './values.js';

/** An object of any form: a message in memory, its fields in the contract, its JSON. */
export type Fields = Wire;

/** What a value means: how it looks in memory, as a field of the contract, and as JSON. */
export interface Semantic {
  toWire(value: unknown): unknown;
  fromWire(value: unknown): unknown;
  toJson(value: unknown): unknown;
  fromJson(value: unknown): unknown;
  /** What a server accepts as JSON. */
  readonly schema?: TSchema;
  /** Throws what is wrong with a value that came in the binary form, where every number has 32 or 64 bits. */
  check?(value: unknown, key: string): void;
}

/** A property of a message: it moves itself from one object to another. */
export interface Property {
  /** What a server accepts as JSON, by key. */
  readonly schemas: { readonly [key: string]: TSchema };
  toWire(message: Fields, wire: Fields): void;
  fromWire(wire: Fields, message: Fields): void;
  toJson(message: Fields, json: Fields): void;
  fromJson(json: Fields, message: Fields): void;
  check?(message: Fields): void;
}

/** A message of the contract, and all that is special about its fields. */
export class Description {
  readonly #properties: readonly Property[];

  /**
   * A field that is not mentioned keeps its name in all forms and means what its type says. `undefined` leaves a field to the
   * property of another one.
   */
  constructor(
    readonly type: string,
    special: { readonly [field: string]: Semantic | Property | undefined } = {},
  ) {
    const missing = Object.keys(special).filter((name) => !fieldsOf(type).some((field) => field.name === name));
    if (missing.length > 0) throw new Error(`${type} has no field ${missing}`);
    this.#properties = fieldsOf(type).flatMap((field) => {
      const given = field.name in special ? special[field.name] : meaningOf(field.type);
      if (!given) return [];
      return 'schemas' in given ? [given] : [property(field.name, field.repeated ? each(given) : given)];
    });
  }

  /** What a server accepts as JSON, by key. */
  get schemas(): { readonly [key: string]: TSchema } {
    return Object.assign({}, ...this.#properties.map(({ schemas }) => schemas));
  }

  toWire(message: Fields): Fields {
    return this.#moved('toWire', message, {});
  }

  fromWire(wire: Fields, message: Fields = {}): Fields {
    return this.#moved('fromWire', wire, message);
  }

  toJson(message: Fields, json: Fields = {}): Fields {
    return this.#moved('toJson', message, json);
  }

  fromJson(json: Fields, message: Fields = {}): Fields {
    return this.#moved('fromJson', json, message);
  }

  /** Throws what is wrong with a message that came in the binary form. */
  check(message: Fields): void {
    for (const each of this.#properties) each.check?.(message);
  }

  #moved(how: 'toWire' | 'fromWire' | 'toJson' | 'fromJson', from: Fields, to: Fields): Fields {
    for (const each of this.#properties) each[how](from, to);
    return to;
  }
}

const same = <T>(value: T): T => value;

/** The same in all forms. */
export const PLAIN: Semantic = { toWire: same, fromWire: same, toJson: same, fromJson: same };

/** A level: 0 or 1, and a bool of the contract. */
export const LEVEL: Semantic = { ...PLAIN, toWire: (value) => value === 1, fromWire: Number };

/** A number of up to 53 bits: a decimal string in JSON, of which other numbers lose bits above 53. */
export const DECIMAL: Semantic = { ...PLAIN, toJson: String, fromJson: Number };

/** 32 bits: hexadecimal text in JSON. */
export const WORD: Semantic = { ...PLAIN, toJson: (value) => formatAddress(value as number), fromJson: Number };

/** A name, of which the contract has the number in an enumeration. That of the first is 1. */
export function named(names: readonly string[]): Semantic {
  return {
    ...PLAIN,
    toWire: (name) => names.indexOf(name as string) + 1,
    fromWire: (number) => names[(number as number) - 1] ?? number,
  };
}

/** A number of which JSON has the name. */
export function numbered(names: readonly string[]): Semantic {
  return { ...PLAIN, toJson: (value) => names[value as number], fromJson: (name) => names.indexOf(name as string) };
}

/** A bool of which JSON has one of two names. */
export function flag(whenFalse: string, whenTrue: string): Semantic {
  return { ...PLAIN, toJson: (value) => (value ? whenTrue : whenFalse), fromJson: (name) => name === whenTrue };
}

/** A message in a message. */
export function nested(description: Description): Semantic {
  return {
    toWire: (value) => description.toWire(value as Fields),
    fromWire: (value) => description.fromWire(value as Fields),
    toJson: (value) => description.toJson(value as Fields),
    fromJson: (value) => description.fromJson(value as Fields),
  };
}

/** A list. */
export function each(semantic: Semantic): Semantic {
  const { check } = semantic;
  return {
    toWire: (values) => (values as unknown[]).map(semantic.toWire),
    fromWire: (values) => (values as unknown[]).map(semantic.fromWire),
    toJson: (values) => (values as unknown[]).map(semantic.toJson),
    fromJson: (values) => (values as unknown[]).map(semantic.fromJson),
    ...(check && {
      check: (values, key) => {
        for (const value of values as unknown[]) check(value, key);
      },
    }),
  };
}

function meaningOf(type: string): Semantic {
  if (type === 'uint64') return DECIMAL;
  if (type === 'fixed32') return WORD;
  return type === 'bool' ? LEVEL : PLAIN;
}

interface Names {
  /** The name of the field of the contract, if it is not that in memory. */
  readonly wire?: string;
  /** The name in JSON, if it is not that in memory. */
  readonly json?: string;
}

/** A property that is one field in all forms, and missing in all of them if it is in one. */
export function property(
  key: string,
  semantic: Semantic,
  { wire: field = key, json: text = key }: Names = {},
): Property {
  const move = (change: (value: unknown) => unknown, name: string, from: unknown, to: Fields) => {
    if (from !== undefined) to[name] = change(from);
  };
  return {
    schemas: semantic.schema ? { [text]: semantic.schema } : {},
    toWire: (message, wire) => move(semantic.toWire, field, message[key], wire),
    fromWire: (wire, message) => move(semantic.fromWire, key, wire[field], message),
    toJson: (message, json) => move(semantic.toJson, text, message[key], json),
    fromJson: (json, message) => move(semantic.fromJson, key, json[text], message),
    check: (message) => semantic.check?.(message[key], key),
  };
}

/** A message in a message, whose fields JSON has beside those around it; there if JSON has `presence`. */
export function flat(key: string, description: Description, presence: string): Property {
  const inBinary = property(key, nested(description));
  return {
    ...inBinary,
    toJson: (message, json) => {
      if (message[key] !== undefined) description.toJson(message[key] as Fields, json);
    },
    fromJson: (json, message) => {
      if (json[presence] !== undefined) message[key] = description.fromJson(json);
    },
  };
}
