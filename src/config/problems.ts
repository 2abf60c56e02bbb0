import { SouthbridgeError } from '../errors.js';
import { type KeyPath, pathName } from '../schema/keys.js';
import { type Fault, Validator } from '../schema/validate.js';
import { type Configuration, ConfigurationSchema } from './schema.js';
import { originText, type Settings } from './settings.js';

let validator: Validator | undefined;

/** Fills in defaults, in place, and returns what is wrong. */
export function problems(settings: Settings): SouthbridgeError[] {
  // Made on first use: which designs are allowed depends on the module of the key `design`.
  validator ??= new Validator(ConfigurationSchema);
  const faults = validator.check(settings.tree);
  if (faults.length > 0) return faults.map((fault) => problem(fault, settings));
  return combinations(settings.tree as unknown as Configuration, settings);
}

function problem(fault: Fault, settings: Settings): SouthbridgeError {
  const key = pathName(fault.path);
  const source = sourceOf(settings, fault.path);
  switch (fault.kind) {
    case 'unknown-key':
      return new SouthbridgeError('config-unknown-key', {
        key,
        source,
        hint: fault.hint,
        known: fault.known.join(', '),
      });
    case 'missing-key':
      return new SouthbridgeError('config-missing-key', { key, source, expected: fault.expected });
    case 'wrong-type':
      return new SouthbridgeError('config-wrong-type', { key, source, expected: fault.expected });
    case 'not-allowed':
      return notAllowed(settings, fault.path, JSON.stringify(fault.value), fault.expected);
  }
}

/** What each key allows by itself, but not together. */
function combinations(configuration: Configuration, settings: Settings): SouthbridgeError[] {
  const errors: SouthbridgeError[] = [];
  const { machines, limits, tls } = configuration;
  const names = new Set<string>();
  machines.forEach(({ name }, index) => {
    const path = ['machines', index, 'name'];
    if (names.has(name)) {
      errors.push(notAllowed(settings, path, JSON.stringify(name), 'a name that no other machine has'));
    }
    names.add(name);
  });
  if (machines.length > limits.machines) {
    const value = `of ${machines.length} machines`;
    errors.push(notAllowed(settings, ['machines'], value, `a list of at most limits.machines = ${limits.machines}`));
  }
  if (limits.requestMs < limits.headersMs) {
    const expected = `not less than limits.headersMs = ${limits.headersMs}`;
    errors.push(notAllowed(settings, ['limits', 'requestMs'], String(limits.requestMs), expected));
  }
  for (const [key, other] of [
    ['certFile', 'keyFile'],
    ['keyFile', 'certFile'],
  ] as const) {
    if (tls[key] !== '' || tls[other] === '') continue;
    errors.push(notAllowed(settings, ['tls', key], '""', `the name of a file, as tls.${other} is one`));
  }
  return [...errors, ...clusterProblems(configuration, settings)];
}

function clusterProblems({ cluster, stateDir }: Configuration, settings: Settings): SouthbridgeError[] {
  if (cluster.servers.length === 0) return [];
  const errors = (['node', 'address'] as const)
    .filter((key) => cluster[key] === '')
    .map((key) => notAllowed(settings, ['cluster', key], '""', `set, as cluster.servers is`));
  if (stateDir !== '')
    errors.push(
      notAllowed(settings, ['stateDir'], JSON.stringify(stateDir), 'empty, as cluster.servers keeps the machines'),
    );
  return errors;
}

function notAllowed(settings: Settings, path: KeyPath, value: string, expected: string): SouthbridgeError {
  const source = sourceOf(settings, path);
  return new SouthbridgeError('config-not-allowed', { key: pathName(path), source, value, expected });
}

function sourceOf(settings: Settings, path: KeyPath): string {
  return originText(settings.nearestOrigin(path));
}
