import fc from '../../support/properties.js';

type Json = unknown;

/** Values at which checks tend to be wrong. */
const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    -0,
    -1,
    0.5,
    1e308,
    2 ** 53,
    2 ** 53 + 2,
    2 ** 32,
    '',
    '0x',
    '0x0',
    '-1',
    [],
    {},
  ),
  fc.constantFrom<Json>('__proto__', 'constructor', 'toString', '\u0000', '\ud800', '0x1ffffffffffffffff', '1e3', ' 1'),
  fc.integer(),
  fc.string({ maxLength: 8 }),
  fc.jsonValue({ maxDepth: 2 }),
);

interface Mutation {
  /** Chooses the place. */
  readonly at: number;
  readonly kind: 'replace' | 'remove' | 'rename' | 'add' | 'double';
  readonly name: string;
  readonly value: Json;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('replace', 'replace', 'remove', 'rename', 'add', 'double'),
  name: fc.oneof(fc.constantFrom('__proto__', 'id', 'type', 'name', ''), fc.string({ maxLength: 6 })),
  value: odd,
});

/** The text of a JSON value after one to three changes of its structure. */
export function mutated(base: fc.Arbitrary<Json>): fc.Arbitrary<string> {
  return fc
    .record({ base, mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }) })
    .map(({ base, mutations }) => textOf(mutations.reduce(mutate, base)));
}

/** Pairs in place of an object, since a key may stand twice. */
class Pairs {
  constructor(readonly entries: readonly (readonly [string, Json])[]) {}
}

function childrenOf(value: Json): readonly (readonly [string, Json])[] {
  if (value instanceof Pairs) return value.entries;
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function sizeOf(value: Json): number {
  return childrenOf(value).reduce((sum, [, child]) => sum + sizeOf(child), 1);
}

function mutate(value: Json, mutation: Mutation): Json {
  return descend(value, mutation.at % sizeOf(value), mutation);
}

/** Changes the value with the given number, counted in depth-first order. */
function descend(value: Json, index: number, mutation: Mutation): Json {
  if (index === 0) return change(value, mutation);
  let left = index - 1;
  const entries = [...childrenOf(value)];
  for (const [position, [key, child]] of entries.entries()) {
    const size = sizeOf(child);
    if (left < size) {
      const isParent =
        left === 0 && (mutation.kind === 'remove' || mutation.kind === 'rename' || mutation.kind === 'double');
      if (isParent) entries.splice(position, 1, ...shifted(key, child, mutation));
      else entries[position] = [key, descend(child, left, mutation)];
      return Array.isArray(value) ? entries.map(([, each]) => each) : new Pairs(entries);
    }
    left -= size;
  }
  return value;
}

function shifted(key: string, child: Json, { kind, name }: Mutation): [string, Json][] {
  if (kind === 'remove') return [];
  if (kind === 'rename') return [[name, child]];
  return [
    [key, child],
    [key, child],
  ];
}

function change(value: Json, { kind, name, value: other }: Mutation): Json {
  if (kind !== 'add') return other;
  if (Array.isArray(value)) return [...value, other];
  if (typeof value === 'object' && value !== null) return new Pairs([...childrenOf(value), [name, other]]);
  return other;
}

function textOf(value: Json): string {
  if (value instanceof Pairs) {
    return `{${value.entries.map(([key, child]) => `${JSON.stringify(key)}:${textOf(child)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value === 'object' && value !== null) return textOf(new Pairs(Object.entries(value)));
  return Object.is(value, -0) ? '-0' : (JSON.stringify(value) ?? 'null');
}
