import { Command } from 'commander';
import { type Check, fail, ok } from '../doctor/check.js';
import { ConfigurationError, SouthbridgeError } from '../errors.js';
import { addConfigurationOptions, type ConfigurationOptions, configurationOf } from './configuration-options.js';
import { paint, wrapped } from './terminal.js';

interface Options extends ConfigurationOptions {
  readonly json?: true;
}

const HELP = `
Takes the configuration as serve does. Nothing is changed, and no server is started.

Exit status: 0 a server can run here, 1 something fails.

Example:
  npx southbridge doctor --port 9090 --json`;

export const doctor = new Command('doctor')
  .description('check whether this host can run the configuration, and print a remedy for each fault')
  .option('--json', 'one JSON object')
  .addHelpText('after', HELP)
  .action(run);

addConfigurationOptions(doctor);

async function run(options: Options): Promise<void> {
  const checks = await checksOf(options);
  const fails = checks.filter(({ status }) => status === 'fail').length;
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: fails === 0, checks }, null, 2)}\n`);
  else process.stdout.write(textOf(checks));
  if (fails > 0) process.exitCode = 1;
}

async function checksOf(options: Options): Promise<Check[]> {
  try {
    const { configuration } = await configurationOf(options);
    const { examine } = await import('../doctor/doctor.js');
    return [ok('configuration', 'is right'), ...(await examine(configuration))];
  } catch (error) {
    const errors = error instanceof ConfigurationError ? error.errors : [error];
    if (!errors.every((each) => each instanceof SouthbridgeError)) throw error;
    // Nothing else can be checked before this is corrected.
    const advice =
      'docs/configuration.md has every key; npx southbridge serve --print-config shows where each is from.';
    return errors.map(({ message }) => fail('configuration', message, advice));
  }
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function textOf(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, found, advice }) => {
    const indent = ' '.repeat(width + 8);
    const [first, ...rest] = [found, advice].flatMap((text) => wrapped(text ? indent + text : '').split('\n'));
    const line = `${paint(status.padEnd(4), COLOURS[status])}  ${name.padEnd(width)}  ${first.trimStart()}`;
    return [line, ...rest].filter((each) => each !== '');
  });
  return `${lines.join('\n')}\n`;
}
