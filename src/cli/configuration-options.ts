import { type Command, Option } from 'commander';
import { FILE_VARIABLE } from '../config/settings.js';
import { designModule, flagKeys, flagName, type Loaded, loadConfiguration, type Sources } from '../config/sources.js';
import { expectation, pathName } from '../schema/keys.js';

type Flag = NonNullable<Sources['flags']>[number];

export interface ConfigurationOptions {
  readonly config?: string;
  readonly set: readonly Flag[];
  /** Keys with a flag of their own. */
  readonly [key: string]: unknown;
}

/** Adds the options by which a command takes the configuration of a server: the file, single keys, and `--set` for any key. */
export function addConfigurationOptions(command: Command): void {
  command
    .option('--config <file>', `configuration file, JSON or YAML (or ${FILE_VARIABLE} in the environment)`)
    .addOption(
      new Option('--set <key=value>', 'any key, as in limits.machines=16 or machines.0.locking=bql; may be repeated')
        .argParser(addSet)
        .default([], 'none'),
    );
  for (const { path, schema } of flagKeys()) {
    const text = `${schema.description} It is ${expectation(schema)}; by default ${JSON.stringify(schema.default)}.`;
    if (schema.type === 'boolean') command.addOption(new Option(`${flagName(path)} [value]`, text).preset('true'));
    else command.option(`${flagName(path)} <value>`, text);
  }
}

function addSet(text: string, former: readonly Flag[]): readonly Flag[] {
  const [key] = text.split('=', 1);
  return [...former, { key, text: text.slice(key.length + 1), flag: `--set ${key}` }];
}

/** The configuration that the options, the environment and the file make together. Throws a ConfigurationError, or a SouthbridgeError for its design. */
export async function configurationOf(options: ConfigurationOptions): Promise<Loaded> {
  const sources = { file: options.config, environment: process.env, flags: flagsOf(options) };
  await loadConfiguredDesign(sources);
  return loadConfiguration(sources);
}

/** Loads the module of the key `design`, if there is one; before the configuration, which may name its design. */
export async function loadConfiguredDesign(sources: Sources): Promise<void> {
  const path = designModule(sources);
  // Loaded when it is needed: most servers have no module, and a start opens few files at a time.
  if (path !== '') await (await import('../config/own-design.js')).loadOwnDesign(path);
}

/** What was given on the command line; a key's own flag wins over `--set`. */
function flagsOf(options: ConfigurationOptions): Flag[] {
  const own = flagKeys().flatMap(({ path }) => {
    const key = pathName(path);
    const text = options[key];
    return typeof text === 'string' ? [{ key, text, flag: flagName(path) }] : [];
  });
  return [...options.set, ...own];
}
