import fc from '../../support/properties.js';
import { mutated } from './json-mutations.js';
import { allowedBy, type Schema } from './schema-arbitrary.js';

export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly headers: { readonly [name: string]: string };
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json'?: { readonly schema: Schema } } };
}

/** The parts of an OpenAPI document that say what may be asked. */
export interface OpenApi {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
}

/** Names that lead to a machine, and some that do not. */
const machine = (own: string) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(own) },
    { weight: 1, arbitrary: fc.constantFrom('none', '..', '%00', 'M') },
  );

/** What a part of a path or of a query may hold besides what it should. */
const strange = fc.oneof(
  fc.constantFrom('', '0', '-1', '1e9', '0xfed000f0', '%ff', '%2e%2e', '..', ' ', '99999999999999999999', '__proto__'),
  fc.string({ maxLength: 12 }),
);

const HEADERS: readonly { readonly [name: string]: string }[] = [
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=latin1' },
  { 'content-type': '' },
  { 'content-encoding': 'gzip' },
  { 'transfer-encoding': 'identity' },
  { origin: 'https://example.org' },
  { authorization: 'Bearer x' },
  { 'last-event-id': 'x' },
  { expect: '100-continue' },
  { range: 'bytes=0-1' },
  { 'if-none-match': '*' },
];

/** Requests for everything that the document describes, right ones and wrong ones. `own` is the machine to ask about. */
export function requests({ paths }: OpenApi, own: string): fc.Arbitrary<FuzzedRequest> {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => requestOf(method, path, operation, own)),
  );
  return fc.oneof(...operations);
}

function requestOf(method: string, path: string, operation: Operation, own: string): fc.Arbitrary<FuzzedRequest> {
  const { parameters = [], requestBody } = operation;
  const schema = requestBody?.content['application/json']?.schema;
  return fc
    .record({
      method: fc.oneof(
        { weight: 30, arbitrary: fc.constant(method.toUpperCase()) },
        { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE') },
      ),
      path: pathOf(path, parameters, own),
      query: queryOf(parameters.filter((parameter) => parameter.in === 'query')),
      body: bodyOf(schema),
      headers: fc.oneof(
        { weight: 15, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.constantFrom(...HEADERS) },
      ),
    })
    .map(({ path, query, ...rest }) => ({ ...rest, path: path + query }));
}

function pathOf(path: string, parameters: readonly Parameter[], own: string): fc.Arbitrary<string> {
  const parts = path.split('/').map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) return fc.constant(part);
    const schema = parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)?.schema ?? {};
    const right =
      name === 'machine' ? machine(own) : allowedBy(schema).map((value) => encodeURIComponent(String(value)));
    const register = fc.constantFrom('0xfed000f0', '0xfed00010', '0xfec00010', '0xfed00100');
    const usual = name === 'address' ? fc.oneof(register, right) : right;
    return fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: strange.map(encoded) });
  });
  return fc.tuple(...parts).map((each) => each.join('/'));
}

/** As a browser would send it, unless it is encoded already. */
function encoded(text: string): string {
  return text.startsWith('%') ? text : encodeURIComponent(text);
}

function queryOf(parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const known = parameters.map(({ name, schema }) =>
    fc.oneof(allowedBy(schema).map(String), strange).map((value) => `${name}=${encoded(value)}`),
  );
  const extra = fc.tuple(strange, strange).map(([key, value]) => `${encoded(key)}=${encoded(value)}`);
  const part = known.length > 0 ? fc.oneof({ weight: 6, arbitrary: fc.oneof(...known) }, extra) : extra;
  const some = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `?${parts.join('&')}`);
  return fc.oneof({ weight: known.length > 0 ? 3 : 12, arbitrary: fc.constant('') }, { weight: 1, arbitrary: some });
}

function bodyOf(schema: Schema | undefined): fc.Arbitrary<string | undefined> {
  if (!schema) return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.json({ maxDepth: 1 }));
  const right = allowedBy(schema);
  return fc.oneof(
    { weight: 3, arbitrary: right.map((value) => JSON.stringify(value)) },
    { weight: 5, arbitrary: mutated(right) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
    { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
}
