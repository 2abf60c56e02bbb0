import { MachineConfig } from '../config/machine.js';
import { ConfigurationSchema } from '../config/schema.js';
import { FILE_VARIABLE } from '../config/settings.js';
import { flagKeys, flagName, hasVariable, variableName } from '../config/sources.js';
import { PROFILE_NAMES, PROFILES, QUIRK_NAMES } from '../core/devices/quirks.js';
import { describeDesign, PRESET_NAMES, PRESETS } from '../core/locking/presets.js';
import { classOfPreset } from '../core/locking/verdicts.js';
import { expectation, leafKeys, pathName, type SchemaNode, schemaNode } from '../schema/keys.js';
import { code, page, table } from './markdown.js';

const EXAMPLE = `\`\`\`yaml
port: 9000
limits:
  machines: 16
machines:
  - name: default
  - name: qemu
    locking: bql
    clock: manual
    hpet: { timers: 8, profile: qemu-11.1, quirks: { eoi-storm: false } }
    ioapic: { version: "0x11" }
    vcpus: 2
  - name: own-design
    locking: { mmio: device, timer: device, irq: lockless, control: ordered }
\`\`\``;

/** `docs/configuration.md` */
export function configurationPage(): string {
  return page(
    '# Configuration',
    'Generated from `src/config` by `npm run docs:generate`.',
    ...sources(),
    '## Keys',
    'Lists are replaced as a whole. In YAML, put quotes around strings that look like numbers, such as `"0x20"`.',
    keyTable(),
    '## Machines',
    'Each item of `machines` has these keys; the body of `POST /v1/machines` has the same.',
    machineTable(),
    EXAMPLE,
    ...locking(),
    ...profiles(),
  );
}

function sources(): string[] {
  const flags = flagKeys().map(({ path }) => code(flagName(path)));
  return [
    '`npx southbridge serve` takes each value from the last of these that gives it:',
    [
      '1. the default;',
      `2. a file, JSON or YAML, named by \`--config FILE\` or by \`${FILE_VARIABLE}\`;`,
      '3. the environment, under the name in the tables below; lists of strings are written with commas, `' +
        `${variableName(['machines'])}\` as JSON or YAML;`,
      `4. flags: ${flags.join(', ')}, and for any key \`--set KEY=VALUE\`, as in \`--set limits.machines=16\` or ` +
        '`--set machines.0.locking=bql`.',
    ].join('\n'),
    'A key that is not known, a value of the wrong type or one that is not allowed stops the start, with the name of the ' +
      'key, where it came from, and what is allowed. `npx southbridge config check FILE` checks a file by itself; ' +
      '`npx southbridge serve --print-config` (and `--json`) shows the result and where each value came from.',
  ];
}

function keyTable(): string {
  const rows = leafKeys(schemaNode(ConfigurationSchema)).map(({ path, schema }) => [
    code(pathName(path)),
    hasVariable(path) ? code(variableName(path)) : '–',
    ...valueCells(schema, path[0] === 'machines' ? 'a list of machines, below' : expectation(schema)),
  ]);
  return table(['key', 'environment', 'default', 'allowed', 'what it does'], rows);
}

function machineTable(): string {
  const rows = leafKeys(schemaNode(MachineConfig)).flatMap(({ path, schema }) => {
    if (path[1] === 'quirks') return [];
    return [[code(pathName(path)), ...valueCells(schema, expectation(schema))]];
  });
  const quirks = [
    '`hpet.quirks`',
    '`{}`',
    'quirks (below), each true or false',
    'Single quirks, whatever the profile says.',
  ];
  const afterProfile = rows.findIndex(([name]) => name === '`hpet.profile`') + 1;
  rows.splice(afterProfile, 0, quirks);
  return table(['key', 'default', 'allowed', 'what it does'], rows);
}

function valueCells(schema: SchemaNode, allowed: string): string[] {
  const fallback = schema.default === undefined ? 'none: must be given' : code(JSON.stringify(schema.default));
  return [fallback, allowed, schema.description ?? ''];
}

function locking(): string[] {
  const rows = PRESET_NAMES.map((name) => {
    const { mmio, timer, irq, control } = describeDesign(PRESETS[name]);
    return [code(name), ...[mmio, timer, irq, control].map(code), classOfPreset(name) ?? 'not explored'];
  });
  return [
    '## Locking presets',
    'Exploration decides the class ([all designs](designs.md)). _safe_: no deadlock, race or wrong line. _stale_: a line can be wrong. _unsafe_: deadlock or race. A design that is not safe is accepted.',
    table(['preset', 'mmio', 'timer', 'irq', 'control', 'class'], rows),
  ];
}

function profiles(): string[] {
  const has = (profile: (typeof PROFILE_NAMES)[number], quirk: (typeof QUIRK_NAMES)[number]) =>
    (PROFILES[profile] as readonly string[]).includes(quirk) ? 'on' : '';
  return [
    '## Profiles and quirks',
    'What each quirk does is said in [quirks.md](quirks.md).',
    table(
      ['quirk', ...PROFILE_NAMES.map(code)],
      QUIRK_NAMES.map((quirk) => [code(quirk), ...PROFILE_NAMES.map((profile) => has(profile, quirk))]),
    ),
  ];
}
