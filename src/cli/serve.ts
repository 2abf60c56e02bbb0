import { Command, Option } from 'commander';
import { expectation, pathName } from '../config/keys.js';
import { configurationJson, configurationText } from '../config/print.js';
import { ConfigurationError } from '../config/problems.js';
import type { Configuration } from '../config/schema.js';
import { FILE_VARIABLE, flagKeys, flagName, loadConfiguration, type Sources } from '../config/sources.js';
import { SouthbridgeError } from '../errors.js';
import { closeOnSignals } from './signals.js';
import { startText } from './start-text.js';

type Flag = NonNullable<Sources['flags']>[number];

interface Options {
  readonly config?: string;
  readonly set: readonly Flag[];
  readonly printConfig?: true;
  readonly json?: true;
  /** Keys with a flag of their own. */
  readonly [key: string]: unknown;
}

export const serve = new Command('serve')
  .description('start the server')
  .option('--config <file>', `configuration file, JSON or YAML (or ${FILE_VARIABLE} in the environment)`)
  .addOption(
    new Option('--set <key=value>', 'any key, as in limits.machines=16 or machines.0.locking=bql; may be repeated')
      .argParser(addSet)
      .default([], 'none'),
  )
  .option('--print-config', 'show the configuration and where each value came from, and end')
  .addOption(new Option('--json', 'with --print-config, as JSON').implies({ printConfig: true }))
  .addHelpText('after', '\nLater wins: defaults, file, environment (SOUTHBRIDGE_HOST, …), flags.')
  .action(run);

for (const { path, schema } of flagKeys()) {
  const text = `${schema.description} It is ${expectation(schema)}; by default ${JSON.stringify(schema.default)}.`;
  if (schema.type === 'boolean') serve.addOption(new Option(`${flagName(path)} [value]`, text).preset('true'));
  else serve.option(`${flagName(path)} <value>`, text);
}

function addSet(text: string, former: readonly Flag[]): readonly Flag[] {
  const [key] = text.split('=', 1);
  return [...former, { key, text: text.slice(key.length + 1), flag: `--set ${key}` }];
}

async function run(options: Options): Promise<void> {
  try {
    const loaded = loadConfiguration({ file: options.config, environment: process.env, flags: flagsOf(options) });
    if (!options.printConfig) await start(loaded.configuration);
    else process.stdout.write(options.json ? configurationJson(loaded) : configurationText(loaded));
  } catch (error) {
    if (!(error instanceof ConfigurationError) && !(error instanceof SouthbridgeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** What was given on the command line; a key's own flag wins over `--set`. */
function flagsOf(options: Options): Flag[] {
  const own = flagKeys().flatMap(({ path }) => {
    const key = pathName(path);
    const text = options[key];
    return typeof text === 'string' ? [{ key, text, flag: flagName(path) }] : [];
  });
  return [...options.set, ...own];
}

async function start(configuration: Configuration): Promise<void> {
  // Loaded when it is needed: most commands start no server.
  const { startServer } = await import('../server.js');
  const server = await startServer(configuration);
  closeOnSignals(() => server.close());
  process.on('SIGHUP', () => server.reload());
  process.stdout.write(startText(server.url, configuration));
}
