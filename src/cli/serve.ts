import { Command, Option } from 'commander';
import type { Configuration } from '../config/schema.js';
import type { Loaded } from '../config/sources.js';
import { requireFiles } from '../server/service/open-files.js';
import { addConfigurationOptions, type ConfigurationOptions, configurationOf } from './configuration-options.js';
import { notifyWatchdog } from './service-manager.js';
import { closeOnSignals, exitOnFailure } from './signals.js';
import { startText } from './start-text.js';

interface Options extends ConfigurationOptions {
  readonly printConfig?: true;
  readonly json?: true;
}

const HELP = `
Later wins: defaults, file, environment (SOUTHBRIDGE_HOST, …), flags.

Example:
  npx southbridge serve --port 9090 --set machines.0.locking=bql`;

export const serve = new Command('serve')
  .description('start the server')
  .option('--print-config', 'show the configuration and where each value came from, and end')
  .addOption(new Option('--json', 'with --print-config, as JSON').implies({ printConfig: true }))
  .addHelpText('after', HELP)
  .action(run);

addConfigurationOptions(serve);

async function run(options: Options): Promise<void> {
  const loaded = await configurationOf(options);
  if (!options.printConfig) await start(loaded.configuration);
  else await print(loaded, options.json);
}

async function print(loaded: Loaded, json?: true): Promise<void> {
  const { configurationJson, configurationText } = await import('../config/print.js');
  process.stdout.write(json ? configurationJson(loaded) : configurationText(loaded));
}

async function start(configuration: Configuration): Promise<void> {
  // Even loading the server opens more files than some limits allow.
  requireFiles(configuration);
  // Loaded when it is needed: most commands start no server.
  const { startServer } = await import('../server/boot.js');
  const { ProcessExaminer } = await import('./examiner.js');
  const server = await startServer(configuration, new ProcessExaminer());
  closeOnSignals(() => server.close());
  exitOnFailure(server.failed, () => server.abandon());
  notifyWatchdog(() => server.makesProgress);
  process.on('SIGHUP', () => server.reload());
  process.stdout.write(startText(server.url, configuration));
}
