import { ConfigurationError, SouthbridgeError } from '../errors.js';
import {
  type Key,
  type KeyPath,
  leafKeys,
  nearest,
  parsePath,
  pathName,
  type SchemaNode,
  schemaAt,
  schemaNode,
} from '../schema/keys.js';
import { exposure, unknownProxies } from './exposure.js';
import { readConfigurationFile, yaml } from './file.js';
import { tooLongPaths } from './listen.js';
import { problems } from './problems.js';
import { type Configuration, ConfigurationSchema } from './schema.js';
import { FILE_VARIABLE, isObject, type Origin, PREFIX, partsOf, Settings, TOKEN_VARIABLE } from './settings.js';

const SCHEMA = schemaNode(ConfigurationSchema);
const KEYS = leafKeys(SCHEMA);

/** Variables that are no keys. */
const OTHER_VARIABLES: readonly string[] = [FILE_VARIABLE, TOKEN_VARIABLE];

/** Keys that the environment cannot give: code that the server runs. */
const NOT_FROM_ENVIRONMENT = ['design'];

export interface Sources {
  /** The configuration file, if `--config` named one. */
  readonly file?: string | undefined;
  readonly environment?: { readonly [name: string]: string | undefined };
  /** Keys, as in `limits.machines`, with what the user typed. Later ones win. */
  readonly flags?: readonly { readonly key: string; readonly text: string; readonly flag: string }[];
}

export interface Loaded {
  readonly configuration: Configuration;
  /** Where each value came from. */
  readonly settings: Settings;
}

/** Whether an environment variable may give this key. */
export function hasVariable(path: KeyPath): boolean {
  return !NOT_FROM_ENVIRONMENT.includes(pathName(path));
}

/** `limits.frameBytes` → `SOUTHBRIDGE_LIMITS_FRAME_BYTES` */
export function variableName(path: KeyPath): string {
  return PREFIX + words(path, '_').toUpperCase();
}

/** `vcpuThreads` → `--vcpu-threads` */
export function flagName(path: KeyPath): string {
  return `--${words(path, '-').toLowerCase()}`;
}

function words(path: KeyPath, separator: string): string {
  return path.map((part) => String(part).replace(/[A-Z]/g, (letter) => separator + letter)).join(separator);
}

/** Keys that have a flag of their own: the single values at the top. All others are reached by `--set`. */
export function flagKeys(): Key[] {
  return KEYS.filter(({ path, schema }) => path.length === 1 && schema.type !== 'array');
}

/**
 * Puts the configuration together: defaults, then the file, the environment and the flags, later ones winning. A file
 * must be right by itself. Throws a ConfigurationError that names every key that is wrong.
 */
export function loadConfiguration(sources: Sources): Loaded {
  const settings = new Settings({});
  refuse(problems(settings));
  const environment = sources.environment ?? {};
  const file = sources.file ?? environment[FILE_VARIABLE];
  if (file !== undefined) {
    applyFile(settings, file);
    refuse(problems(settings));
  }
  const unknown = [...applyEnvironment(settings, environment), ...applyFlags(settings, sources.flags ?? [])];
  refuse([...unknown, ...problems(settings)]);
  const configuration = settings.tree as unknown as Configuration;
  refuse([...exposure(configuration), ...unknownProxies(configuration), ...tooLongPaths(configuration)]);
  return { configuration, settings };
}

/**
 * The value of the key `design`, read before the rest of the configuration can be checked: the names of designs that it
 * may use depend on the module. Throws a ConfigurationError if the file cannot be read.
 */
export function designModule(sources: Sources): string {
  const settings = new Settings({});
  const file = sources.file ?? sources.environment?.[FILE_VARIABLE];
  if (file !== undefined) applyFile(settings, file);
  applyFlags(settings, sources.flags ?? []);
  const { design } = settings.tree;
  return typeof design === 'string' ? design : '';
}

function refuse(errors: readonly SouthbridgeError[]): void {
  if (errors.length > 0) throw new ConfigurationError(errors);
}

function applyFile(settings: Settings, file: string): void {
  const read = readConfigurationFile(file);
  merge(settings, SCHEMA, [], read.value, (path) => read.originOf(path));
}

/** Objects that the schema knows go in key by key, so that what they leave out keeps its value. */
function merge(
  settings: Settings,
  schema: SchemaNode | undefined,
  path: KeyPath,
  value: unknown,
  originOf: (path: KeyPath) => Origin,
): void {
  if (schema?.properties && isObject(value)) {
    for (const [key, part] of partsOf(value)) merge(settings, schemaAt(schema, [key]), [...path, key], part, originOf);
  } else settings.set(path, value, originOf);
}

function applyEnvironment(settings: Settings, environment: NonNullable<Sources['environment']>): SouthbridgeError[] {
  const byName = new Map(KEYS.filter(({ path }) => hasVariable(path)).map((key) => [variableName(key.path), key]));
  const errors: SouthbridgeError[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || OTHER_VARIABLES.includes(name) || text === undefined) continue;
    const key = byName.get(name);
    if (key) settings.set(key.path, parseText(key.schema, text), () => ({ kind: 'environment', name }));
    else errors.push(unknownKey(name, 'environment', [...OTHER_VARIABLES, ...byName.keys()]));
  }
  return errors;
}

function applyFlags(settings: Settings, flags: NonNullable<Sources['flags']>): SouthbridgeError[] {
  const errors: SouthbridgeError[] = [];
  for (const { key, text, flag } of flags) {
    const path = parsePath(key);
    const schema = schemaAt(SCHEMA, path);
    if (!schema) {
      errors.push(unknownKey(key, flag, knownNear(path)));
      continue;
    }
    try {
      settings.set(path, parseText(schema, text), () => ({ kind: 'flag', name: flag }));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      errors.push(unknownKey(key, flag, [`positions ${error.message}`]));
    }
  }
  return errors;
}

/** Full names of the keys beside the first part of a path that leads nowhere. */
function knownNear(path: KeyPath): string[] {
  let length = path.length - 1;
  while (!schemaAt(SCHEMA, path.slice(0, length))) length--;
  const parent = schemaAt(SCHEMA, path.slice(0, length)) ?? SCHEMA;
  const { properties } = parent.anyOf?.find((choice) => choice.properties) ?? parent;
  if (!properties)
    return [parent.type === 'array' ? pathName([...path.slice(0, length), 0]) : pathName(path.slice(0, length))];
  return Object.keys(properties).map((key) => pathName([...path.slice(0, length), key]));
}

function unknownKey(key: string, source: string, known: readonly string[]): SouthbridgeError {
  const meant = nearest(key, known);
  const hint = meant ? ` (did you mean ${meant}?)` : '';
  return new SouthbridgeError('config-unknown-key', { key, source, hint, known: known.join(', ') });
}

/**
 * The value that a variable or flag stands for. What has not the form of the key's type stays a string, which
 * validation then refuses by the key's name. Lists of strings are written with commas; all else as JSON or YAML.
 */
function parseText(schema: SchemaNode, text: string): unknown {
  if (schema.type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (schema.type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  const isList = schema.type === 'array' && schema.items?.type === 'string';
  if (isList && !text.startsWith('[')) return text === '' ? [] : text.split(',').map((part) => part.trim());
  if (schema.type === 'array' || schema.type === 'object' || (schema.anyOf && text.startsWith('{'))) {
    try {
      return yaml().parse(text);
    } catch {
      return text;
    }
  }
  return text;
}
