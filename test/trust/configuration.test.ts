import { deepStrictEqual } from 'node:assert';
import t from 'tap';
import { parse } from 'yaml';
import { configurationText } from '../../src/config/print.js';
import { ConfigurationSchema } from '../../src/config/schema.js';
import { type Loaded, loadConfiguration } from '../../src/config/sources.js';
import { ConfigurationError } from '../../src/errors.js';
import { loadText } from '../config/load.js';
import fc from '../support/properties.js';
import { seed } from '../support/random.js';
import { tier } from '../support/tier.js';
import { mutated } from './support/json-mutations.js';
import { allowedBy, type Schema } from './support/schema-arbitrary.js';
import { faultOf } from './support/victim.js';

/** Most keys are left out, so that few of them can be wrong. */
const right = allowedBy(ConfigurationSchema as unknown as Schema).chain((value) =>
  fc.subarray(Object.entries(value as object), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
);
/** JSON is YAML as well. */
const file = fc.oneof(
  { weight: 3, arbitrary: mutated(right) },
  { weight: 1, arbitrary: right.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
);
const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.constantFrom('true', '[]', '{}', '0', '1e9', '{a: &x *x}', 'null'),
);
const key = fc.oneof(
  fc.constantFrom(
    'port',
    'machines',
    'machines.0',
    'machines.9',
    'machines.0.locking',
    'limits',
    'limits.history',
    'tls',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor.name',
    'machines.-1',
    'machines.length',
    '',
    '.',
    'machines.0.hpet.quirks.x',
  ),
  fc.string({ maxLength: 10 }),
);
const flag = fc.record({ key, text }).map((each) => ({ ...each, flag: `--set ${each.key}` }));
const variable = fc.constantFrom('SOUTHBRIDGE_PORT', 'SOUTHBRIDGE_MACHINES', 'SOUTHBRIDGE_X', 'PATH');
const none = <T>(value: T) => ({ weight: 4, arbitrary: fc.constant(value) });
const sources = fc.record({
  file,
  isJson: fc.boolean(),
  environment: fc.oneof(none({}), fc.dictionary(variable, text, { maxKeys: 2, noNullPrototype: true })),
  flags: fc.oneof(none([]), fc.array(flag, { maxLength: 2 })),
});

/** The configuration, or undefined if it was refused as it should be. Throws anything else. */
function load(make: () => Loaded): Loaded | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const { code, message } of error.errors) {
      // Values that are shown may look like anything.
      const fault = faultOf(code, message.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`|\(.*?\)/gs, ''));
      if (fault !== undefined && !fault.startsWith('the sentence')) throw new Error(fault);
      if (!code.startsWith('config-')) throw new Error(`${code} is no refusal of a configuration`);
    }
    return undefined;
  }
}

/** Each found a fault once. 37095: an IOAPIC id of −0, which a YAML file gives back as 0. */
const FAILED_ONCE = [37095];

for (const first of [seed(), ...FAILED_ONCE]) {
  t.test(`${tier.fuzzedConfigurations} configurations, seed ${first}`, async (t) => {
    const plain = JSON.stringify(loadConfiguration({}).configuration);
    let accepted = 0;
    fc.assert(
      fc.property(sources, ({ file, isJson, environment, flags }) => {
        const loaded = load(() => loadText(file, { environment, flags }, isJson ? 'sb.json' : 'sb.yaml'));
        if (!loaded) return;
        accepted++;
        // What is printed says the same.
        const printed = configurationText(loaded);
        deepStrictEqual(parse(printed), JSON.parse(JSON.stringify(loaded.configuration)));
        deepStrictEqual(loadText(printed).configuration, loaded.configuration);
      }),
      { seed: first, numRuns: tier.fuzzedConfigurations },
    );
    t.ok(accepted > 0 && accepted < tier.fuzzedConfigurations, `${accepted} were accepted`);
    t.equal(JSON.stringify(loadConfiguration({}).configuration), plain, 'nothing of them stays');
  });
}
